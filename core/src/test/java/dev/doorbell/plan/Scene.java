package dev.doorbell.plan;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.description.Arch;
import dev.doorbell.description.FirmwareKind;
import dev.doorbell.description.HostBridge;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.IommuDescription.Abilities;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.description.MsiControllerDescription.GicV2m;
import dev.doorbell.description.MsiControllerDescription.Its;
import dev.doorbell.description.Recorded;
import dev.doorbell.explain.Source;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.plan.Subject.Mate;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/// Descriptions that tests of the planner start from.
final class Scene {
  static final Source FIRMWARE = Source.file("IORT");
  static final Sbdf NIC = Sbdf.parse("0000:01:00.0");
  static final Its ITS = its(0, 0x808_0000L);
  static final AddressRange PCI = new AddressRange(0x1000_0000L, 0x3efe_ffffL);
  static final GicV2m V2M =
      new GicV2m(
          "v2m@0x8020000",
          AddressRange.ofSize(0x802_0000L, 0x1000),
          OptionalInt.of(80),
          OptionalInt.of(64),
          FIRMWARE);

  private Scene() {}

  static Its its(int id, long base) {
    return new Its(
        "its@0x" + Long.toHexString(base), id, AddressRange.ofSize(base, 0x20000), FIRMWARE);
  }

  static IommuDescription smmu(int inputBits) {
    return new IommuDescription.Smmuv3(
        "smmuv3@0x9050000",
        AddressRange.ofSize(0x905_0000L, 0x20000),
        true,
        new Abilities(
            OptionalInt.of(inputBits),
            OptionalInt.of(44),
            List.of(Granule.K4, Granule.K64),
            Optional.of(FIRMWARE)),
        FIRMWARE);
  }

  static Subject subject(
      Sbdf sbdf,
      List<MsiControllerDescription> controllers,
      int msix,
      List<Mate> mates,
      ReservedRegion... reserved) {
    return new Subject(
        sbdf,
        Optional.of(smmu(48)),
        controllers,
        Optional.empty(),
        Optional.empty(),
        OptionalInt.of(msix),
        true,
        mates,
        List.of(),
        List.of(),
        OptionalInt.empty(),
        List.of(reserved),
        FIRMWARE);
  }

  static MachineDescription machine(
      List<MsiControllerDescription> controllers, List<AddressRange> dmaRanges) {
    HostBridge bridge =
        new HostBridge(
            "pci0000:00",
            0,
            0,
            255,
            Optional.empty(),
            List.of(),
            List.of(),
            List.of(
                new HostBridge.Window(PCI, PCI.start(), false, false, Source.file("proc/iomem"))),
            dmaRanges,
            OptionalInt.empty(),
            FIRMWARE);
    return new MachineDescription(
        Arch.ARM64,
        FirmwareKind.ACPI,
        List.of(smmu(48)),
        controllers,
        Optional.empty(),
        Optional.empty(),
        List.of(bridge),
        List.of(),
        List.of(),
        List.of(),
        new Recorded(List.of(), false, List.of(), Optional.empty()),
        List.of(),
        List.of());
  }
}
