package dev.doorbell.description;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Sizes;
import dev.doorbell.description.IommuDescription.PaprTce;
import dev.doorbell.description.MsiControllerDescription.PaprMsi;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/// A host bridge as a hypervisor gives it to a guest, with all that is needed to drive it.
///
/// @param buid by which calls name it
/// @param servers numbers of processors, at least one
/// @param windows at least one
public record PaprBridge(
    HostBridge bridge, PaprMsi messages, long buid, List<Long> servers, List<PaprTce> windows) {
  /// Processors that interrupts can be sent to.
  private static final int MOST_SERVERS = 128;

  /// What H_XIRR can tell.
  private static final long MOST_SERVER = 16 * Sizes.MIB - 1;

  /// Bytes of a window at most: 16 GiB.
  private static final long MOST_BYTES = 16 * Sizes.GIB;

  public PaprBridge {
    servers = List.copyOf(servers);
    windows = List.copyOf(windows);
  }

  /// {@return the bridges of a machine that are described well enough; a window whose number another one has is nobody's}
  public static List<PaprBridge> of(MachineDescription machine) {
    List<PaprBridge> out = new ArrayList<>();
    Set<Long> liobns = new HashSet<>();
    Set<Long> buids = new HashSet<>();
    for (HostBridge b : machine.hostBridges()) {
      messages(machine, b)
          .filter(m -> m.buid().isPresent() && buids.add(m.buid().getAsLong()))
          .flatMap(m -> join(machine, b, m, liobns))
          .ifPresent(out::add);
    }
    return out;
  }

  private static Optional<PaprMsi> messages(MachineDescription machine, HostBridge b) {
    return b.msis().stream()
        .flatMap(m -> m.controllers().stream())
        .flatMap(c -> machine.msiController(c).stream())
        .filter(c -> c instanceof PaprMsi)
        .map(c -> (PaprMsi) c)
        .findFirst();
  }

  private static Optional<PaprBridge> join(
      MachineDescription machine, HostBridge b, PaprMsi messages, Set<Long> liobns) {
    List<Long> servers =
        messages.servers().stream()
            .filter(s -> s >= 0 && s <= MOST_SERVER)
            .distinct()
            .limit(MOST_SERVERS)
            .toList();
    List<PaprTce> windows =
        machine.iommus().stream()
            .filter(i -> i instanceof PaprTce)
            .map(i -> (PaprTce) i)
            .filter(t -> b.streams().stream().anyMatch(s -> s.iommu().equals(t.id())))
            .filter(t -> isWhole(t) && liobns.add(t.liobn()))
            .toList();
    return servers.isEmpty() || windows.isEmpty()
        ? Optional.empty()
        : Optional.of(new PaprBridge(b, messages, messages.buid().orElseThrow(), servers, windows));
  }

  private static boolean isWhole(PaprTce t) {
    long bytes = t.window().bytes();
    return bytes > 0
        && bytes <= MOST_BYTES
        && Granule.K4.offset(t.window().start()) == 0
        && Granule.K4.offset(bytes) == 0;
  }

  /// {@return the window of a function}
  public Optional<PaprTce> windowOf(int rid) {
    return bridge.streams().stream()
        .filter(s -> s.streamOf(rid).isPresent())
        .findFirst()
        .flatMap(s -> windows.stream().filter(t -> t.id().equals(s.iommu())).findFirst());
  }

  /// {@return a requester id that has a window: a function's where there is one}
  public OptionalInt requesterOf(PaprTce window, MachineDescription machine) {
    OptionalInt function =
        machine.functions().stream()
            .filter(f -> bridge.owns(f.sbdf().segment(), f.sbdf().bus()))
            .mapToInt(f -> f.sbdf().requesterId())
            .filter(rid -> windowOf(rid).filter(window::equals).isPresent())
            .findFirst();
    return function.isPresent()
        ? function
        : bridge.streams().stream()
            .filter(s -> s.iommu().equals(window.id()))
            .mapToInt(HostBridge.StreamMapping::firstRid)
            .filter(rid -> windowOf(rid).filter(window::equals).isPresent())
            .findFirst();
  }
}
