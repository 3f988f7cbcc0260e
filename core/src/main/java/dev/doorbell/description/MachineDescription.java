package dev.doorbell.description;

import dev.doorbell.address.AddressRange;
import dev.doorbell.explain.Oddity;
import dev.doorbell.explain.Source;
import dev.doorbell.explain.Unseen;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.pci.Sbdf;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Stream;

/// What a machine has, and where each fact was read. Immutable.
///
/// @param memory RAM
/// @param reserved regions that firmware reserves for devices (RMR, `iommu-addresses` …)
/// @param oddities what was wrong in the input and was passed over
/// @param unseen what the input does not tell
public record MachineDescription(
    Arch arch,
    FirmwareKind firmware,
    List<IommuDescription> iommus,
    List<MsiControllerDescription> msiControllers,
    Optional<GicDescription> gic,
    Optional<ApicDescription> apic,
    List<HostBridge> hostBridges,
    List<FunctionDescription> functions,
    List<Memory> memory,
    List<Reservation> reserved,
    Recorded recorded,
    List<Oddity> oddities,
    List<Unseen> unseen) {

  /// Requester ids of one segment; firmware's mappings often state more ids than there can be.
  private static final long REQUESTERS = 0x10000;

  /// A run of RAM.
  public record Memory(AddressRange range, Source source) {}

  /// A region reserved for some streams of an IOMMU, or for functions.
  ///
  /// @param functions the functions it binds; empty when `streamIds` says who
  /// @param iommu the IOMMU whose streams it binds
  /// @param streamIds those streams
  public record Reservation(
      ReservedRegion region,
      List<Sbdf> functions,
      Optional<String> iommu,
      List<StreamRange> streamIds) {
    public Reservation {
      functions = List.copyOf(functions);
      streamIds = List.copyOf(streamIds);
    }
  }

  /// StreamIDs first to last.
  public record StreamRange(int first, int last) {}

  public MachineDescription {
    iommus = List.copyOf(iommus);
    msiControllers = List.copyOf(msiControllers);
    hostBridges = List.copyOf(hostBridges);
    functions = List.copyOf(functions);
    memory = List.copyOf(memory);
    reserved = List.copyOf(reserved);
    oddities = List.copyOf(oddities);
    unseen = List.copyOf(unseen);
  }

  /// {@return the function at an address, if the description has it}
  public Optional<FunctionDescription> function(Sbdf sbdf) {
    return functions.stream().filter(f -> f.sbdf().equals(sbdf)).findFirst();
  }

  /// {@return the root complex that owns a function's bus}
  public Optional<HostBridge> hostBridge(Sbdf sbdf) {
    return hostBridges.stream().filter(b -> b.owns(sbdf.segment(), sbdf.bus())).findFirst();
  }

  /// {@return processors that interrupts can be routed to; 1 where firmware tells none}
  public int cpus() {
    return Math.max(
        1,
        gic.map(g -> g.cpus().size())
            .or(() -> apic.map(a -> a.cpus().size()))
            .or(() -> imsic().map(i -> i.files().size()))
            .or(this::threads)
            .orElse(1));
  }

  private Optional<Integer> threads() {
    return msiControllers.stream()
        .flatMap(c ->
            switch (c) {
              case MsiControllerDescription.PhbMsi phb -> Stream.of(phb.threads().size());
              case MsiControllerDescription.PaprMsi papr -> Stream.of(papr.servers().size());
              default -> Stream.empty();
            })
        .findFirst();
  }

  /// {@return the interrupt files that devices' messages go to: the first of supervisor level}
  public Optional<MsiControllerDescription.Imsic> imsic() {
    return msiControllers.stream()
        .filter(MsiControllerDescription.Imsic.class::isInstance)
        .map(MsiControllerDescription.Imsic.class::cast)
        .filter(i -> !i.machineLevel() && !i.files().isEmpty())
        .findFirst();
  }

  /// {@return the interrupt files of machine level, where firmware leaves them to be seen: they are its own, and no driver's vectors are there}
  public Optional<MsiControllerDescription.Imsic> firmwareImsic() {
    return msiControllers.stream()
        .filter(MsiControllerDescription.Imsic.class::isInstance)
        .map(MsiControllerDescription.Imsic.class::cast)
        .filter(i -> i.machineLevel() && !i.files().isEmpty())
        .findFirst();
  }

  /// {@return the structures of the tables that describe IOMMUs, each once}
  public List<FirmwareStructure> structures() {
    // All IOMMUs of one table have the same list; comparing its content for each would be slow for
    // a table made to have many.
    Set<List<FirmwareStructure>> tables = Collections.newSetFromMap(new IdentityHashMap<>());
    return iommus.stream()
        .map(IommuDescription::structures)
        .filter(tables::add)
        .flatMap(List::stream)
        .toList();
  }

  public Optional<IommuDescription> iommu(String id) {
    return iommus.stream().filter(i -> i.id().equals(id)).findFirst();
  }

  /// {@return the highest StreamID that a requester id maps to at an IOMMU; 0 when none does}
  public long highestStreamId(String iommu) {
    return hostBridges.stream()
        .flatMap(b -> b.streams().stream())
        .filter(m -> m.iommu().equals(iommu))
        .mapToLong(
            m -> Integer.toUnsignedLong(m.firstStreamId()) + Math.min(m.count(), REQUESTERS) - 1)
        .max()
        .orElse(0);
  }

  public Optional<MsiControllerDescription> msiController(String id) {
    return msiControllers.stream().filter(c -> c.id().equals(id)).findFirst();
  }

  /// {@return the controller in whose registers a physical address lies; of several the one whose doorbell it is}
  public Optional<MsiControllerDescription> msiControllerAt(long address) {
    List<MsiControllerDescription> there =
        msiControllers.stream().filter(c -> c.answersAt(address)).toList();
    return there.stream()
        .filter(c -> c.doorbell().equals(OptionalLong.of(address)))
        .findFirst()
        .or(() -> there.stream().findFirst());
  }

  /// {@return the same machine as a kernel runs it that remaps interrupts wherever firmware offers it}
  public MachineDescription remappingAsOffered() {
    return new MachineDescription(
        arch,
        firmware,
        iommus.stream().map(IommuDescription::remappingAsOffered).toList(),
        msiControllers,
        gic,
        apic,
        hostBridges,
        functions,
        memory,
        reserved,
        recorded,
        oddities,
        unseen);
  }

  /// {@return whether interrupts are remapped, and firmware does not tell by whom those of a timer}
  public boolean isRemapperUntold(ApicDescription.Hpet hpet) {
    return hpet.iommu().isEmpty()
        && iommus.stream()
            .anyMatch(i -> i.interruptRemapping().map(InterruptRemapping::isOn).orElse(false));
  }
}
