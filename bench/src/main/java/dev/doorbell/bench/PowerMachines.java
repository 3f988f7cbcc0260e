package dev.doorbell.bench;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.Arch;
import dev.doorbell.description.FirmwareKind;
import dev.doorbell.description.HostBridge;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.IommuDescription.Abilities;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.description.MsiControllerDescription.MpicMsi;
import dev.doorbell.description.MsiControllerDescription.PaprMsi;
import dev.doorbell.description.MsiControllerDescription.PhbMsi;
import dev.doorbell.description.PaprExploitation;
import dev.doorbell.machine.EmbeddedMachine;
import dev.doorbell.pci.Sbdf;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/// The machines of PowerPC and POWER that are measured, after reset: the endpoints of {@link BenchMachine} behind a PAMU and a bank of an MPIC,
/// a PHB3 and XICS, a PHB4 or PHB5 and XIVE, or what a hypervisor gives a PAPR guest.
final class PowerMachines {
  private static final String PHB = "phb@pci0000:00";
  private static final String MESSAGES = "msi@pci0000:00";
  private static final long PAGE = 0x1000;

  /// The DMA window's number in calls of the hypervisor.
  private static final int LIOBN = 0x8000_0000;

  private PowerMachines() {}

  /// {@return a QorIQ machine: one LIODN for all functions, and one bank}
  ///
  /// @param devices endpoints; with their vectors as many as a bank has interrupts, 256
  /// @param vectors MSI-X vectors of each
  static EmbeddedMachine qoriq(int devices, int vectors) {
    String pamu = "pamu@0xffe020000";
    String bank = "mpic-msi@0xffe041600";
    long registers = 0xf_fe04_1600L;
    return machine(
        new IommuDescription.Pamu(
            pamu, AddressRange.ofSize(0xf_fe02_0000L, PAGE), Abilities.UNSEEN, BenchMachine.MADE),
        new MpicMsi(
            bank,
            AddressRange.ofSize(registers, 0x200),
            registers + 0x140,
            false,
            BenchMachine.MADE),
        new HostBridge.StreamMapping(0, 0, 1, pamu, 1, BenchMachine.MADE),
        devices,
        vectors);
  }

  /// {@return a POWER8 machine with two presentation controllers}
  ///
  /// @param devices endpoints; with their vectors 2040 at most
  /// @param vectors MSI-X vectors of each
  static EmbeddedMachine power8(int devices, int vectors) {
    return machine(
        phb("PHB3", 256),
        new PhbMsi(
            MESSAGES,
            "PHB3 MSI (XICS)",
            0x1000,
            2040,
            Optional.empty(),
            Optional.empty(),
            List.of(),
            List.of(server(8, 0), server(16, 1)),
            BenchMachine.MADE),
        new HostBridge.StreamMapping(
            0xffff, 0, Sbdf.LAST_REQUESTER_ID + 1L, PHB, 0, BenchMachine.MADE),
        devices,
        vectors);
  }

  /// {@return a POWER9 machine with two threads}
  ///
  /// @param devices endpoints, 0 to 256
  /// @param vectors MSI-X vectors of each; with the devices 4088 at most
  static EmbeddedMachine power9(int devices, int vectors) {
    return xive("PHB4", AddressRange.ofSize(0x6_0302_0310_0000L, 0x8_0000), devices, vectors);
  }

  /// {@return a POWER10 machine with two threads}
  ///
  /// @param devices endpoints, 0 to 256
  /// @param vectors MSI-X vectors of each; with the devices 4088 at most
  static EmbeddedMachine power10(int devices, int vectors) {
    return xive("PHB5", AddressRange.ofSize(0x6_0302_0000_0000L, 0x200_0000), devices, vectors);
  }

  /// @param controller the interrupt controller's registers
  private static EmbeddedMachine xive(
      String bridge, AddressRange controller, int devices, int vectors) {
    return machine(
        phb(bridge, 512),
        new PhbMsi(
            MESSAGES,
            bridge + " MSI (XIVE)",
            0xf_e000,
            0xff8,
            Optional.of(AddressRange.ofSize(0x6_00c3_0000_0000L, 0x1000_0000L)),
            Optional.of(controller),
            List.of(0L, 1L),
            List.of(),
            BenchMachine.MADE),
        new HostBridge.StreamMapping(
            0xffff, 0, Sbdf.LAST_REQUESTER_ID + 1L, PHB, 0, BenchMachine.MADE),
        devices,
        vectors);
  }

  /// {@return a guest of a hypervisor, with two processors}
  ///
  /// @param devices endpoints; with their vectors 1024 at most
  /// @param vectors MSI-X vectors of each
  static EmbeddedMachine papr(int devices, int vectors) {
    return papr(devices, vectors, Optional.empty());
  }

  /// {@return the same, which manages its interrupts itself (XIVE)}
  ///
  /// @param devices endpoints; with their vectors 1024 at most
  /// @param vectors MSI-X vectors of each
  static EmbeddedMachine paprExploited(int devices, int vectors) {
    return papr(
        devices,
        vectors,
        Optional.of(
            new PaprExploitation(
                AddressRange.ofSize(0x6_0302_031a_0000L, 0x1_0000),
                List.of(16),
                List.of(6),
                BenchMachine.MADE)));
  }

  private static EmbeddedMachine papr(
      int devices, int vectors, Optional<PaprExploitation> exploitation) {
    String window = "tce@pci0000:00";
    return machine(
        new IommuDescription.PaprTce(
            window,
            Integer.toUnsignedLong(LIOBN),
            AddressRange.ofSize(0x4000_0000L, 0x4000_0000L),
            false,
            Abilities.UNSEEN,
            BenchMachine.MADE),
        new PaprMsi(
            MESSAGES,
            OptionalLong.of(0x800_0000_2000_0000L),
            OptionalInt.of(1024),
            List.of(0L, 1L),
            exploitation,
            BenchMachine.MADE),
        new HostBridge.StreamMapping(0, 0, 1, window, LIOBN, BenchMachine.MADE),
        devices,
        vectors);
  }

  private static IommuDescription.Phb phb(String kind, int pes) {
    return new IommuDescription.Phb(
        PHB,
        kind,
        Optional.of(AddressRange.ofSize(0x6_00c3_c000_0000L, PAGE)),
        OptionalInt.of(pes),
        OptionalInt.of(pes - 1),
        Abilities.UNSEEN,
        BenchMachine.MADE);
  }

  private static PhbMsi.Server server(int number, int index) {
    return new PhbMsi.Server(number, AddressRange.ofSize(0x3_ffff_8000_8000L + index * PAGE, PAGE));
  }

  private static EmbeddedMachine machine(
      IommuDescription iommu,
      MsiControllerDescription messages,
      HostBridge.StreamMapping streams,
      int devices,
      int vectors) {
    return EmbeddedMachine.of(
        new MachineDescription(
            Arch.PPC64,
            FirmwareKind.NONE,
            List.of(iommu),
            List.of(messages),
            Optional.empty(),
            Optional.empty(),
            List.of(BenchMachine.hostBridge(streams, messages.id())),
            BenchMachine.functions(devices, vectors),
            BenchMachine.MEMORY,
            List.of(),
            BenchMachine.NOTHING_RECORDED,
            List.of(),
            List.of()));
  }
}
