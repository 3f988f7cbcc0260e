package dev.doorbell.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Granule;
import dev.doorbell.description.InterruptRemapping;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.iommu.NotIsolated;
import dev.doorbell.machine.EmbeddedMachine;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.survey.WhatIf;
import dev.doorbell.testkit.Shared;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("x86 machines whose capture has firmware's tables and nothing of the kernel")
class OfferedRemappingTest {
  private static final Sbdf FUNCTION = Sbdf.parse("0000:01:00.0");
  private static final int VECTORS = 8;

  private static MachineDescription machine(String capture) {
    return new WhatIf(FUNCTION, VECTORS, 0, true)
        .addTo(Firmware.read(Sysroot.open(Shared.require("captures/x86/" + capture))));
  }

  private static Assignment assign(MachineDescription machine) {
    return Assignment.of(
        Host.start(EmbeddedMachine.of(machine)),
        List.of(FUNCTION),
        new Assignment.Request(Granule.K4, Optional.empty(), 1, VECTORS, false));
  }

  @ParameterizedTest
  @ValueSource(strings = {"amd-b650e-pg", "amd-x399-prime", "asus-nuc14", "dell-latitude-e7470"})
  @DisplayName("offered by firmware: Doorbell turns remapping on, and every vector arrives")
  void offered(String capture) {
    MachineDescription m = machine(capture);
    assertTrue(
        m.iommus().stream()
            .flatMap(i -> i.interruptRemapping().stream())
            .allMatch(r -> r.state() == InterruptRemapping.State.UNSEEN));
    try (Assignment a = assign(m)) {
      HostFunction f = a.functions().getFirst();
      assertEquals(VECTORS, a.vectors(f).size());
      a.vectors(f).forEach(v -> assertTrue(a.fire(f, v).delivered()));
    }
  }

  @Test
  @DisplayName("not offered (DMAR.INTR_REMAP = 0): refused as not isolated")
  void notOffered() {
    MachineDescription m = machine("hp-dc7800");
    assertTrue(
        m.iommus().stream()
            .map(IommuDescription::interruptRemapping)
            .allMatch(r -> r.orElseThrow().state() == InterruptRemapping.State.OFF));
    assertThrows(NotIsolated.class, () -> assign(m));
  }
}
