package dev.doorbell.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.description.MachineDescription;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.irq.LiveVector;
import dev.doorbell.irq.TooFewVectors;
import dev.doorbell.machine.EmbeddedMachine;
import dev.doorbell.pci.Firing;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.route.Route;
import dev.doorbell.route.RouteWalker;
import dev.doorbell.survey.WhatIf;
import dev.doorbell.testkit.Shared;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName(
    "R26: a function with no IOMMU in its path rings doorbells at their physical addresses")
class UntranslatedVectorsTest {
  /// The sample's IORT maps requester ids from 0x700 to the ITS and to no SMMU.
  private static final Sbdf PAST = Sbdf.parse("07:00.0");

  private static final Sbdf BEHIND = Sbdf.parse("04:00.0");

  private static Host host() {
    MachineDescription sample =
        Firmware.read(Sysroot.open(Path.of("..", "samples", "arm64-its-acpi-switch-sriov")));
    return Host.start(EmbeddedMachine.of(new WhatIf(PAST, 4, 0, true).addTo(sample)));
  }

  @Test
  @DisplayName(
      "every vector arrives, once, through the doorbell's own address, and closing undoes everything")
  void everyVectorArrives() {
    Host host = host();
    try (UntranslatedVectors once = UntranslatedVectors.of(host, PAST, 1, 4)) {
      assertEquals(4, once.vectors().size());
    }
    long kept = host.machine().frames().bytesInUse();
    try (UntranslatedVectors v = UntranslatedVectors.of(host, PAST, 1, 4)) {
      for (LiveVector each : v.vectors()) {
        assertEquals(0x809_0040L, each.message().address());
        Assignment.Fired fired = v.fire(each);
        assertTrue(fired.delivered(), fired::toString);
      }
    }
    assertEquals(Firing.OFF, host.machine().fire(PAST, 0));
    assertEquals(kept, host.machine().frames().bytesInUse());
  }

  @Test
  @DisplayName(
      "a function behind a driven IOMMU, a bridge, and a function that is not there are refused")
  void refusals() {
    Host host = host();
    NotAssignable behind =
        assertThrows(NotAssignable.class, () -> UntranslatedVectors.of(host, BEHIND, 1, 1));
    assertTrue(behind.getMessage().contains("smmuv3@0x9050000 translates its messages"));
    for (String other : List.of("03:00.0", "09:00.0")) {
      assertThrows(
          NotAssignable.class, () -> UntranslatedVectors.of(host, Sbdf.parse(other), 1, 1));
    }
  }

  @Test
  @DisplayName("it cannot be assigned, even while its vectors are in use")
  void notAssigned() {
    Host host = host();
    try (UntranslatedVectors v = UntranslatedVectors.of(host, PAST, 1, 1)) {
      NotAssignable e = assertThrows(NotAssignable.class, () -> host.function(PAST));
      assertTrue(e.getMessage().endsWith("no IOMMU is in its path"), e::getMessage);
      assertTrue(e.refusal().source().where().contains("IORT"), e.refusal()::toString);
      assertEquals(1, v.vectors().size());
    }
  }

  @Test
  @DisplayName("too few vectors: refused with the function off, as it was")
  void tooFew() {
    Host host = host();
    assertThrows(TooFewVectors.class, () -> UntranslatedVectors.of(host, PAST, 5, 8));
    assertEquals(Firing.OFF, host.machine().fire(PAST, 0));
  }

  @ParameterizedTest
  @CsvSource({"arm64-its-noiommu-acpi, IORT", "arm64-its-vfio-noiommu, fdt"})
  @DisplayName(
      "captures without an IOMMU: the derived route says where firmware says so, and ends at the ITS")
  void captures(String capture, String where) {
    Host host =
        Host.start(
            EmbeddedMachine.of(
                Firmware.read(Sysroot.open(Shared.require("lab-captures").resolve(capture)))));
    Sbdf sbdf = Sbdf.parse("01:00.0");
    try (UntranslatedVectors v = UntranslatedVectors.of(host, sbdf, 1, 2)) {
      Route route =
          new RouteWalker(host.survey(), new LiveState(host, List.of(v.function()))).walk(sbdf, 0);
      assertTrue(route.delivered(), route::toString);
      assertEquals(0x809_0040L, route.doorbell().orElseThrow());
      assertTrue(
          route.hops().stream()
              .anyMatch(h ->
                  h.why().startsWith("no IOMMU is in the path")
                      && h.source().where().contains(where)),
          route::toString);
      assertTrue(v.fire(v.vectors().getFirst()).delivered());
    }
  }

  @Test
  @DisplayName("behind a virtio-iommu, which is not driven, it is refused with that reason")
  void virtio() {
    Host host =
        Host.start(
            EmbeddedMachine.of(
                Firmware.read(
                    Sysroot.open(
                        Shared.require("lab-captures").resolve("arm64-virtio-iommu-acpi")))));
    NotAssignable e =
        assertThrows(
            NotAssignable.class, () -> UntranslatedVectors.of(host, Sbdf.parse("01:00.0"), 1, 1));
    assertTrue(e.getMessage().contains("is not driven by Doorbell"), e::getMessage);
  }
}
