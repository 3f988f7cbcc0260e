package dev.doorbell.survey;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MachineDescription.Reservation;
import dev.doorbell.description.MachineDescription.StreamRange;
import dev.doorbell.explain.Source;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.testkit.ProjectRoot;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("DEN 0049: a reserved region binds the StreamIDs that it is for, and no others")
class RegionsTest {
  private static final ReservedRegion REGION =
      new ReservedRegion(
          AddressRange.ofSize(0x9000_0000L, 0x1_0000),
          ReservedRegion.Kind.DIRECT,
          Source.rule("test"));

  private final MachineDescription sample =
      Firmware.read(
          Sysroot.open(ProjectRoot.path().resolve("samples/arm64-its-acpi-switch-sriov")));

  private MachineDescription with(Reservation reservation) {
    return new MachineDescription(
        sample.arch(),
        sample.firmware(),
        sample.iommus(),
        sample.msiControllers(),
        sample.gic(),
        sample.apic(),
        sample.hostBridges(),
        sample.functions(),
        sample.memory(),
        List.of(reservation),
        sample.recorded(),
        sample.oddities(),
        sample.unseen());
  }

  private List<String> bound(Reservation reservation) {
    Survey survey = Survey.of(with(reservation));
    Regions regions = new Regions(survey);
    return survey.machine().functions().stream()
        .map(f -> f.sbdf())
        .filter(s -> regions.derived(List.of(s)).contains(REGION))
        .map(Sbdf::toString)
        .toList();
  }

  @Test
  @DisplayName("StreamIDs from the first to the last, both included, of that IOMMU alone")
  void byStream() {
    String smmu = sample.iommus().getFirst().id();
    // StreamIDs of this machine are requester ids: 0x10 is 00:02.0, 0x18 is 00:03.0.
    List<StreamRange> run = List.of(new StreamRange(0x10, 0x18));
    assertEquals(
        List.of("0000:00:02.0", "0000:00:03.0"),
        bound(new Reservation(REGION, List.of(), Optional.of(smmu), run)));
    assertEquals(
        List.of("0000:00:02.0", "0000:00:03.0"),
        bound(new Reservation(REGION, List.of(), Optional.empty(), run)));
    assertEquals(
        List.of(), bound(new Reservation(REGION, List.of(), Optional.of("smmuv3@0x1"), run)));
    assertEquals(
        List.of(),
        bound(
            new Reservation(
                REGION,
                List.of(),
                Optional.of(smmu),
                List.of(new StreamRange(0x11, 0x17), new StreamRange(-2, -1)))));
  }

  @Test
  @DisplayName("functions that are named, whatever their StreamIDs")
  void byFunction() {
    assertEquals(
        List.of("0000:04:00.0"),
        bound(
            new Reservation(
                REGION, List.of(Sbdf.parse("0000:04:00.0")), Optional.empty(), List.of())));
  }
}
