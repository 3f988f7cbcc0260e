package dev.doorbell.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.irq.LiveVector;
import dev.doorbell.machine.EmbeddedMachine;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.survey.WhatIf;
import dev.doorbell.testkit.Shared;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Firmware that gives root complexes DeviceIDs above 16 bits.
class WideDeviceIdTest {
  @ParameterizedTest
  @CsvSource({
    "ampere-altra-ava1, 0002:01:00.0",
    "microsoft-surface-romulus13_and_15, 0004:01:00.0"
  })
  @DisplayName("the modelled ITS has as many DeviceID bits as the firmware's ids need")
  void wide(String capture, String function) {
    Sbdf sbdf = Sbdf.parse(function);
    MachineDescription machine =
        new WhatIf(sbdf, 4, 0, true)
            .addTo(Firmware.read(Sysroot.open(Shared.require("captures/arm64/" + capture))));
    Host host = Host.start(EmbeddedMachine.of(machine));
    Assignment.Request request =
        new Assignment.Request(
            Granule.K4, Optional.of(new AddressRange(0x800_0000L, 0x80f_ffffL)), 4, 4, false);
    try (Assignment a = Assignment.of(host, List.of(sbdf), request)) {
      HostFunction f = a.functions().getFirst();
      List<LiveVector> vectors = a.vectors(f);
      assertEquals(4, vectors.size());
      for (LiveVector v : vectors) {
        Assignment.Fired fired = a.fire(f, v);
        assertTrue(fired.delivered(), fired::toString);
      }
    }
  }
}
