package dev.doorbell.hw.xive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.doorbell.bus.RegisterBus;
import dev.doorbell.irq.MsiControllerFailed;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("XIVE: a controller that never does what it is asked")
class XivePortTest {
  /// Registers of which every bit reads as one, as of hardware that is gone.
  private enum Gone implements RegisterBus {
    INSTANCE;

    @Override
    public long read(long offset, int bytes) {
      return -1;
    }

    @Override
    public void write(long offset, long value, int bytes) {}
  }

  @Test
  @DisplayName("is not waited for without end, and the register that showed it is named")
  void gone() {
    for (XivePort port :
        List.of(
            new XivePort.First("xive@1", Gone.INSTANCE),
            new XivePort.Second("xive@1", Gone.INSTANCE))) {
      MsiControllerFailed e = assertThrows(MsiControllerFailed.class, () -> port.forget(7));
      assertEquals(List.of("xive@1"), e.refusal().objects());
      assertEquals(
          port instanceof XivePort.First
              ? XiveRegisters.IVC_SCRUB.name()
              : Xive2Registers.EASC_CTRL.name(),
          e.refusal().source().where());
    }
  }
}
