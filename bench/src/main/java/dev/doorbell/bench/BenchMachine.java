package dev.doorbell.bench;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.ApicDescription;
import dev.doorbell.description.Arch;
import dev.doorbell.description.FirmwareKind;
import dev.doorbell.description.FunctionDescription;
import dev.doorbell.description.GicDescription;
import dev.doorbell.description.HostBridge;
import dev.doorbell.description.InterruptRemapping;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.description.MsiControllerDescription.Imsic;
import dev.doorbell.description.Recorded;
import dev.doorbell.explain.Source;
import dev.doorbell.machine.EmbeddedMachine;
import dev.doorbell.pci.CapabilityLayout;
import dev.doorbell.pci.ConfigImage;
import dev.doorbell.pci.MsixLayout;
import dev.doorbell.pci.PcieLayout;
import dev.doorbell.pci.PortType;
import dev.doorbell.pci.Sbdf;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/// The machines that are measured: endpoints with MSI-X below one root port, behind an SMMUv3 and a GICv3 with an ITS, behind VT-d and
/// local APICs, or behind a RISC-V IOMMU and interrupt files of harts. {@link PowerMachines} has those of PowerPC and POWER.
final class BenchMachine {
  static final Source MADE = Source.rule("made for measuring");
  private static final String SMMU = "smmuv3@0x9050000";
  private static final String ITS = "its@0x8080000";
  static final String VTD = "vt-d@0xfed90000";
  private static final String LAPIC = "lapic@0xfee00000";
  private static final String RISCV_IOMMU = "riscv-iommu@0x3010000";
  private static final String IMSIC = "imsic@0x28000000";
  private static final AddressRange WINDOW = AddressRange.ofSize(0x1000_0000L, 0x1000_0000L);
  static final List<MachineDescription.Memory> MEMORY =
      List.of(
          new MachineDescription.Memory(AddressRange.ofSize(0x1_0000_0000L, 0x1_0000_0000L), MADE));
  static final Recorded NOTHING_RECORDED =
      new Recorded(List.of(), false, List.of(), Optional.empty());
  private static final int IDENTITIES = 2047;
  private static final int BAR_BYTES = 0x10000;
  private static final int PENDING_AT = 0x8000;
  private static final int CONFIG_BYTES = 4096;
  private static final int PCIE_AT = 0x40;
  private static final int MSIX_AT = 0xb0;

  private BenchMachine() {}

  /// {@return an Arm machine after reset}
  ///
  /// @param devices endpoints, 0 to 256
  /// @param vectors MSI-X vectors of each, 1 to 2048
  static EmbeddedMachine arm(int devices, int vectors) {
    return EmbeddedMachine.of(
        new MachineDescription(
            Arch.ARM64,
            FirmwareKind.NONE,
            List.of(
                new IommuDescription.Smmuv3(
                    SMMU,
                    AddressRange.ofSize(0x905_0000L, 0x20000),
                    true,
                    IommuDescription.Abilities.UNSEEN,
                    MADE)),
            List.of(
                new MsiControllerDescription.Its(
                    ITS, 0, AddressRange.ofSize(0x808_0000L, 0x20000), MADE)),
            Optional.of(gic()),
            Optional.empty(),
            List.of(hostBridge(SMMU, ITS)),
            functions(devices, vectors),
            MEMORY,
            List.of(),
            NOTHING_RECORDED,
            List.of(),
            List.of()));
  }

  /// {@return a RISC-V machine of two harts after reset}
  ///
  /// @param devices endpoints; with their vectors as many as two interrupt files take
  /// @param vectors MSI-X vectors of each
  static EmbeddedMachine riscv(int devices, int vectors) {
    AddressRange files = AddressRange.ofSize(0x2800_0000L, 2 * Imsic.FILE_BYTES);
    List<Imsic.File> each =
        List.of(
            new Imsic.File(0, 0, AddressRange.ofSize(files.start(), Imsic.FILE_BYTES)),
            new Imsic.File(
                1, 1, AddressRange.ofSize(files.start() + Imsic.FILE_BYTES, Imsic.FILE_BYTES)));
    return EmbeddedMachine.of(
        new MachineDescription(
            Arch.RISCV64,
            FirmwareKind.NONE,
            List.of(
                new IommuDescription.RiscvIommu(
                    RISCV_IOMMU,
                    Optional.of(AddressRange.ofSize(0x301_0000L, 0x1000)),
                    Optional.empty(),
                    IommuDescription.Abilities.UNSEEN,
                    MADE)),
            List.of(
                new Imsic(
                    IMSIC,
                    false,
                    each,
                    IDENTITIES,
                    new Imsic.Index(0, 1, 0, 24),
                    List.of(files),
                    List.of(),
                    MADE)),
            Optional.empty(),
            Optional.empty(),
            List.of(hostBridge(RISCV_IOMMU, IMSIC)),
            functions(devices, vectors),
            MEMORY,
            List.of(),
            NOTHING_RECORDED,
            List.of(),
            List.of()));
  }

  /// {@return an x86 machine after reset, whose VT-d remaps interrupts}
  ///
  /// @param devices endpoints
  /// @param vectors MSI-X vectors of each; there are two CPUs, or as many as take them all and one more
  static EmbeddedMachine x86(int devices, int vectors) {
    int cpus = Math.max(2, 1 + Math.ceilDiv(devices * vectors, ApicDescription.VECTORS_PER_CPU));
    ApicDescription apic =
        new ApicDescription(
            IntStream.range(0, cpus).mapToObj(i -> new ApicDescription.Cpu(i, i, MADE)).toList(),
            List.of(),
            List.of(),
            List.of(),
            MADE);
    return EmbeddedMachine.of(
        new MachineDescription(
            Arch.X86,
            FirmwareKind.NONE,
            List.of(
                new IommuDescription.VtD(
                    VTD,
                    AddressRange.ofSize(0xfed9_0000L, 0x1000),
                    0,
                    true,
                    new InterruptRemapping(InterruptRemapping.State.ON, "made for measuring", MADE),
                    IommuDescription.Abilities.UNSEEN,
                    List.of(),
                    MADE)),
            List.of(
                new MsiControllerDescription.LocalApic(
                    LAPIC,
                    OptionalInt.of(apic.cpus().size() * ApicDescription.VECTORS_PER_CPU),
                    true,
                    MADE)),
            Optional.empty(),
            Optional.of(apic),
            List.of(hostBridge(VTD, LAPIC)),
            functions(devices, vectors),
            MEMORY,
            List.of(),
            NOTHING_RECORDED,
            List.of(),
            List.of()));
  }

  /// {@return the address of an endpoint}
  ///
  /// @param index 0 to 255
  static Sbdf device(int index) {
    return Sbdf.parse("0000:01:%02x.%d".formatted(index >> 3, index & 7));
  }

  static List<FunctionDescription> functions(int devices, int vectors) {
    List<FunctionDescription> functions = new ArrayList<>();
    functions.add(function(Sbdf.parse("0000:00:01.0"), rootPort(), List.of()));
    for (int i = 0; i < devices; i++) {
      AddressRange bar = AddressRange.ofSize(WINDOW.start() + (long) i * BAR_BYTES, BAR_BYTES);
      functions.add(
          function(
              device(i),
              endpoint(vectors, bar.start()),
              List.of(new FunctionDescription.Bar(0, bar, false))));
    }
    return functions;
  }

  private static GicDescription gic() {
    return new GicDescription(
        3,
        AddressRange.ofSize(0x800_0000L, 0x10000),
        List.of(AddressRange.ofSize(0x80a_0000L, 0x40000)),
        Optional.empty(),
        List.of(new GicDescription.Cpu(0, 0, MADE), new GicDescription.Cpu(1, 1, MADE)),
        MADE);
  }

  /// {@return a bridge whose requester ids are StreamIDs}
  private static HostBridge hostBridge(String iommu, String msis) {
    return hostBridge(
        new HostBridge.StreamMapping(0xffff, 0, Sbdf.LAST_REQUESTER_ID + 1L, iommu, 0, MADE), msis);
  }

  /// {@return a bridge of segment 0 with all its buses}
  ///
  /// @param msis id of the MSI controller that all its functions use
  static HostBridge hostBridge(HostBridge.StreamMapping streams, String msis) {
    return new HostBridge(
        "pci0000:00",
        0,
        0,
        0xff,
        Optional.empty(),
        List.of(streams),
        List.of(
            new HostBridge.MsiMapping(
                0xffff, 0, Sbdf.LAST_REQUESTER_ID + 1L, List.of(msis), 0, MADE)),
        List.of(new HostBridge.Window(WINDOW, WINDOW.start(), false, false, MADE)),
        List.of(),
        OptionalInt.empty(),
        MADE);
  }

  private static FunctionDescription function(
      Sbdf sbdf, byte[] config, List<FunctionDescription.Bar> bars) {
    return new FunctionDescription(
        sbdf,
        ConfigImage.of(config, "made for measuring"),
        bars,
        Optional.empty(),
        Optional.empty(),
        OptionalInt.empty(),
        true,
        MADE);
  }

  private static byte[] header(int type, int deviceClass) {
    byte[] c = new byte[CONFIG_BYTES];
    put(c, 0x00, 0x1234, 2); // QEMU's vendor id for devices of nobody
    put(c, 0x02, 0xd0b1, 2);
    put(c, 0x06, 0x0010, 2); // Status: capability list
    put(c, 0x09, deviceClass, 3);
    put(c, 0x0e, type, 1);
    put(c, 0x34, PCIE_AT, 1);
    return c;
  }

  /// Buses 1 to 1, and the whole window.
  private static byte[] rootPort() {
    byte[] c = header(1, 0x06_0400);
    put(c, 0x04, 0x0006, 2); // Command: memory, bus master
    put(c, 0x18, 0x01_01_00, 3);
    put(c, 0x20, WINDOW.start() >>> Short.SIZE, 2);
    put(c, 0x22, WINDOW.last() >>> Short.SIZE & 0xfff0, 2);
    put(c, 0x24, 0xfff0, 2); // prefetchable window: closed
    put(c, PCIE_AT, CapabilityLayout.PCI_EXPRESS, 1);
    put(
        c,
        PCIE_AT + (int) PcieLayout.CAPABILITIES.offset(),
        PcieLayout.VERSION.place(2) | PcieLayout.TYPE.place(PortType.ROOT_PORT.encoding()),
        2);
    // All 256 function numbers of the bus below.
    put(
        c,
        PCIE_AT + (int) PcieLayout.DEVICE_CAPABILITIES_2.offset(),
        PcieLayout.ARI_FORWARDING_SUPPORTED.place(1),
        4);
    put(
        c,
        PCIE_AT + (int) PcieLayout.DEVICE_CONTROL_2.offset(),
        PcieLayout.ARI_FORWARDING.place(1),
        2);
    return c;
  }

  private static byte[] endpoint(int vectors, long bar) {
    byte[] c = header(0x80, 0xff_0000); // multi-function
    put(c, 0x10, bar | 0x4, 4); // 64-bit memory
    put(c, PCIE_AT, CapabilityLayout.PCI_EXPRESS | MSIX_AT << Byte.SIZE, 2);
    put(c, PCIE_AT + (int) PcieLayout.CAPABILITIES.offset(), PcieLayout.VERSION.place(2), 2);
    put(c, MSIX_AT, CapabilityLayout.MSIX, 2);
    put(
        c,
        MSIX_AT + (int) MsixLayout.CONTROL.offset(),
        MsixLayout.TABLE_SIZE.place(vectors - 1),
        2);
    put(c, MSIX_AT + (int) MsixLayout.PBA.offset(), MsixLayout.PBA_OFFSET.place(PENDING_AT), 4);
    return c;
  }

  private static void put(byte[] config, int offset, long value, int bytes) {
    for (int i = 0; i < bytes; i++) {
      config[offset + i] = (byte) (value >>> i * Byte.SIZE);
    }
  }
}
