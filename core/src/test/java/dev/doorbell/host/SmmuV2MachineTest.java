package dev.doorbell.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.iommu.GranuleNotSupported;
import dev.doorbell.iommu.Iommu;
import dev.doorbell.irq.LiveVector;
import dev.doorbell.machine.EmbeddedMachine;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.route.Route;
import dev.doorbell.route.RouteWalker;
import dev.doorbell.survey.WhatIf;
import dev.doorbell.testkit.Shared;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The main job behind SMMUs of versions 1 and 2.
class SmmuV2MachineTest {
  private static final AddressRange WINDOW = new AddressRange(0xa000_0000L, 0xa00f_ffffL);
  private static final Sbdf ENDPOINT = Sbdf.parse("0000:04:00.0");

  private static MachineDescription sample(String kind, long windowBytes, int streamMask) {
    MachineDescription m =
        Firmware.read(Sysroot.open(Path.of("..", "samples", "arm64-its-acpi-switch-sriov")));
    return new MachineDescription(
        m.arch(),
        m.firmware(),
        m.iommus().stream()
            .<IommuDescription>map(i ->
                new IommuDescription.Smmuv2(
                    i.id(),
                    kind,
                    AddressRange.ofSize(i.registers().orElseThrow().start(), windowBytes),
                    true,
                    streamMask,
                    i.abilities(),
                    i.source()))
            .toList(),
        m.msiControllers(),
        m.gic(),
        m.apic(),
        m.hostBridges(),
        m.functions(),
        m.memory(),
        m.reserved(),
        m.recorded(),
        m.oddities(),
        m.unseen());
  }

  private static void assign(MachineDescription machine, Sbdf function, boolean unsafe) {
    Host host = Host.start(EmbeddedMachine.of(machine));
    Assignment.Request request =
        new Assignment.Request(Granule.K4, Optional.of(WINDOW), 2, 4, unsafe);
    try (Assignment a = Assignment.of(host, List.of(function), request)) {
      HostFunction f = a.functions().getFirst();
      List<LiveVector> vectors = a.vectors(f);
      assertTrue(vectors.size() >= 2);
      for (LiveVector v : vectors) {
        Assignment.Fired fired = a.fire(f, v);
        assertTrue(fired.delivered(), fired::toString);
        Route route =
            new RouteWalker(host.survey(), new LiveState(host, List.of(f)))
                .walk(function, v.index());
        assertTrue(route.delivered(), route::toString);
        assertTrue(route.hops().stream().anyMatch(h -> h.at().startsWith("SMR")), route::toString);
      }
    }
    assertTrue(
        host.group(function).orElseThrow().placement()
            instanceof dev.doorbell.iommu.IommuGroup.Placement.Blocked);
  }

  @ParameterizedTest
  @CsvSource({
    "SMMUv1, 0x20000, 0",
    "MMU-400, 0x10000, 0",
    "MMU-401, 0x10000, 0",
    "MMU-500, 0x20000, 0x7000",
    "SMMUv2, 0x4000, 0",
    "Cavium ThunderX SMMUv2, 0x20000, 0"
  })
  @DisplayName("each kind translates the messages of a function, and the route is told hop by hop")
  void kinds(String kind, String window, String mask) {
    assign(sample(kind, Long.decode(window), Integer.decode(mask)), ENDPOINT, false);
  }

  @Test
  @DisplayName(
      "a window without room for an SMMU: the function is refused as behind what is not driven")
  void noRoom() {
    Host host = Host.start(EmbeddedMachine.of(sample("MMU-500", 0x1000, 0)));
    NotAssignable refused = assertThrows(NotAssignable.class, () -> host.function(ENDPOINT));
    assertTrue(refused.getMessage().contains("not driven"), refused.getMessage());
  }

  @Test
  @DisplayName("a granule that an SMMUv1 has not is refused with both figures")
  void granule() {
    Host host = Host.start(EmbeddedMachine.of(sample("MMU-401", 0x10000, 0)));
    Assignment.Request request =
        new Assignment.Request(Granule.K64, Optional.of(WINDOW), 1, 1, false);
    GranuleNotSupported refused =
        assertThrows(
            GranuleNotSupported.class, () -> Assignment.of(host, List.of(ENDPOINT), request));
    assertTrue(refused.getMessage().contains("has [4K]"), refused.getMessage());
  }

  @Test
  @DisplayName(
      "functions whose StreamIDs differ in masked bits are one group, and share one register")
  void masked() {
    Host host = Host.start(EmbeddedMachine.of(sample("MMU-500", 0x20000, 0x7fff)));
    assertEquals(1, host.survey().groups().size());
    Iommu iommu = host.iommu(host.survey().machine().iommus().getFirst().id()).orElseThrow();
    assertEquals("SMMUv2", iommu.capabilities().kind());
    assertTrue(
        host.survey().functions().stream()
            .flatMap(f -> f.streams().stream())
            .allMatch(s -> s.streamId() == 0));
  }

  @ParameterizedTest
  @CsvSource({
    "dt-amd-overdrive-rev-b1, 0000:01:00.0",
    "dt-juno-r2, 0000:01:00.0",
    "dt-ls1028a-rdb, 0000:00:00.0",
    "kontron-sl28, 0002:00:00.0",
    "honeycomb-lx2160a, 0002:01:00.0"
  })
  @DisplayName("captured machines with an SMMUv1 or SMMUv2 assign a function")
  void captures(String capture, String function) {
    Sbdf sbdf = Sbdf.parse(function);
    MachineDescription machine =
        new WhatIf(sbdf, 4, 0, true)
            .addTo(Firmware.read(Sysroot.open(Shared.require("captures/arm64/" + capture))));
    assign(machine, sbdf, true);
  }
}
