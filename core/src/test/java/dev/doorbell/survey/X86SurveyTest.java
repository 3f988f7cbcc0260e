package dev.doorbell.survey;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.testkit.Shared;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("Groups, reserved regions and isolation of x86 machines")
class X86SurveyTest {
  private static Survey lab(String name) {
    return Survey.of(Firmware.read(Sysroot.open(Shared.require("lab-captures/" + name))));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "x86-vtd-intremap",
        "x86-vtd-iommufd",
        "x86-vtd-nointremap",
        "x86-vtd-scalable-fs",
        "x86-amdvi"
      })
  @DisplayName("R13 R23 R24: groups and reserved regions are those that the kernel recorded")
  void asRecorded(String name) {
    Survey survey = lab(name);
    Differences d = Differences.of(survey);
    assertEquals(List.of(), d.differences());
    assertEquals(List.of(), d.notes());
    assertTrue(survey.machine().recorded().groups().size() >= 8);
    boolean on = !name.equals("x86-vtd-nointremap");
    survey
        .groups()
        .forEach(g -> {
          assertEquals(on, survey.isolatedMsi(g));
          Isolation i = survey.isolation(g);
          assertTrue(i.source().toString().startsWith("proc/interrupts+0x"), i.toString());
          assertTrue(
              new Regions(survey)
                  .derived(g.functions()).stream()
                      .anyMatch(r ->
                          r.kind() == ReservedRegion.Kind.MSI
                              && r.range().start() == 0xfee0_0000L
                              && r.range().last() == 0xfeef_ffffL));
        });
  }

  @Test
  @DisplayName(
      "isolation that nothing tells is unseen, with the source of the offer, and not counted")
  void unseenIsolation() {
    Survey survey =
        Survey.of(Firmware.read(Sysroot.open(Shared.require("captures/x86/huananzhi-x99-bd4"))));
    assertTrue(survey.groups().size() > 20);
    survey
        .groups()
        .forEach(g -> {
          assertEquals(Isolation.State.UNSEEN, survey.isolation(g).state());
          assertEquals(
              "sys/firmware/acpi/tables/DMAR+0x25", survey.isolation(g).source().toString());
          assertTrue(!survey.isolatedMsi(g));
        });
  }
}
