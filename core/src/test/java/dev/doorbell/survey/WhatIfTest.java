package dev.doorbell.survey;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.description.FunctionDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.host.Assignment;
import dev.doorbell.host.Host;
import dev.doorbell.machine.EmbeddedMachine;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.testkit.Shared;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("What-if functions in a captured machine")
class WhatIfTest {
  private static final Sbdf NVME = Sbdf.parse("0000:01:00.0");

  private static MachineDescription machine(String capture) {
    return Firmware.read(Sysroot.open(Shared.require("lab-captures/" + capture)));
  }

  @Test
  @DisplayName(
      "a function whose configuration space was not captured gets the capabilities, stays in its group, and can be assigned")
  void capabilitiesNotCaptured() {
    MachineDescription before = machine("riscv64-iommu-native");
    FunctionDescription captured = before.function(NVME).orElseThrow();
    MachineDescription m = new WhatIf(NVME, 3, 0, true).addTo(before);
    FunctionDescription f = m.function(NVME).orElseThrow();
    assertEquals(before.functions().size(), m.functions().size());
    assertTrue(f.hypothetical());
    assertEquals(captured.recordedGroup(), f.recordedGroup());
    assertEquals(captured.driver(), f.driver());
    Assignment.Request request =
        new Assignment.Request(
            Granule.K4, Optional.of(new AddressRange(0x800_0000L, 0x80f_ffffL)), 3, 3, true);
    Host host = Host.start(EmbeddedMachine.of(m));
    try (Assignment a = Assignment.of(host, List.of(NVME), request)) {
      assertEquals(3, a.vectors(a.functions().getFirst()).size());
    }
  }

  @Test
  @DisplayName("one whose capabilities are seen is not replaced, nor is a bridge")
  void capabilitiesCaptured() {
    MachineDescription m = machine("ppc64le-powernv9");
    for (String sbdf : List.of("0001:01:00.0", "0001:00:00.0")) {
      WhatIf another = new WhatIf(Sbdf.parse(sbdf), 8, 0, true);
      IllegalArgumentException e =
          assertThrows(IllegalArgumentException.class, () -> another.addTo(m));
      assertTrue(e.getMessage().contains("with its capabilities"), e.getMessage());
    }
  }

  @Test
  @DisplayName("one on a bus that no root complex has is refused with the buses that there are")
  void noSuchBus() {
    MachineDescription m = machine("ppc64le-powernv9");
    WhatIf elsewhere = new WhatIf(Sbdf.parse("0033:01:00.0"), 8, 0, true);
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> elsewhere.addTo(m));
    assertTrue(
        e.getMessage()
            .startsWith(
                "no root complex of this machine has bus 0033:01; there are 0000:00 to 0000:ff, 0001:00 to 0001:ff"),
        e.getMessage());
  }

  @Test
  @DisplayName("behind a captured port, whatever its windows and whether it lets anything pass")
  void behindPorts() {
    MachineDescription m =
        Firmware.read(Sysroot.open(Shared.require("captures/x86/huananzhi-x99-bd4")));
    for (String at : List.of("0000:01:00.0", "0000:05:00.2", "0000:07:00.0", "0000:08:00.1")) {
      Sbdf sbdf = Sbdf.parse(at);
      Host host = Host.start(EmbeddedMachine.of(new WhatIf(sbdf, 4, 0, true).addTo(m)));
      Assignment.Request request =
          new Assignment.Request(Granule.K4, Optional.empty(), 1, 4, false);
      try (Assignment a = Assignment.of(host, List.of(sbdf), request)) {
        assertEquals(4, a.vectors(a.functions().getLast()).size(), at);
      }
    }
  }
}
