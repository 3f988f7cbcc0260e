package dev.doorbell.vmm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.doorbell.linux.Held;
import dev.doorbell.linux.LinuxOptions;
import dev.doorbell.linux.TakenFunctions;
import dev.doorbell.pci.Sbdf;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("a guest on a host that is no Arm is refused before anything is touched")
class GuestSessionTest {
  @Test
  void refused() {
    assumeFalse(System.getProperty("os.arch").equals("aarch64"), "skipped: this is an Arm host");
    var before = Held.now();
    NotAnArmHost e =
        assertThrows(
            NotAnArmHost.class,
            () ->
                GuestSession.open(
                    LinuxOptions.USUAL,
                    new GuestSession.Wanted(
                        Sbdf.parse("00:01.0"),
                        new TakenFunctions.Terms(false, true, Optional.empty()),
                        new VirtualMachine.Guest(
                            "none", MemorySegment.NULL, MemorySegment.NULL, "", 0)),
                    c -> {}));
    assertTrue(e.getMessage().contains(System.getProperty("os.arch")), e.getMessage());
    assertEquals(before, Held.now());
  }
}
