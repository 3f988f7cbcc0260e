package dev.doorbell.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.description.FunctionDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.machine.EmbeddedMachine;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.testkit.Shared;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("PCIe 7.5.1.1.9: functions whose header is of no type that a model has")
class OtherHeadersTest {
  @ParameterizedTest
  @DisplayName(
      "a CardBus bridge, or a function that read as all ones, is left out of the machine, and the others are there")
  @CsvSource({
    "acer-laptop, 0000:0d:06.0",
    "thinkpad-t400, 0000:15:00.0",
    "dell-latitude-e6430, 0000:01:00.1",
    "gl9755-laptop, 0000:2f:00.0"
  })
  void leftOut(String capture, String function) {
    MachineDescription machine =
        Firmware.read(Sysroot.open(Shared.require("captures/x86/" + capture)));
    EmbeddedMachine hardware = EmbeddedMachine.of(machine);
    Sbdf out = Sbdf.parse(function);
    assertTrue(hardware.endpoint(out).isEmpty());
    assertEquals(0xffff, hardware.config(out).read16(0));
    List<FunctionDescription> there =
        machine.functions().stream().filter(f -> hardware.endpoint(f.sbdf()).isPresent()).toList();
    assertTrue(there.size() > 1, there::toString);
    for (FunctionDescription f : there) {
      assertEquals(f.config().read16(0), hardware.config(f.sbdf()).read16(0), f::toString);
    }
  }
}
