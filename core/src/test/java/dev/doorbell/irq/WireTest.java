package dev.doorbell.irq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.doorbell.simple.HardwareWrites;
import dev.doorbell.simple.InjectedFault;
import dev.doorbell.simple.SimpleMsiController;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("pins and timers: each hardware write fails in turn, and a sender keeps what it had")
class WireTest {
  private static final int SOURCE = 0xf8;
  private static final long DOORBELL = 0x1_0040;
  private static final int VECTORS = 4;

  private final HardwareWrites writes = new HardwareWrites();
  private final SimpleMsiController controller =
      new SimpleMsiController("msi", DOORBELL, 32, VECTORS, true, writes);
  private final Wires wires = new Wires(controller, SOURCE, new ReentrantLock());
  private int sent = -1;

  WireTest() {
    controller.nameCpu();
  }

  /// A sender whose one register holds the datum, -1 while it is silent.
  private final class Pin extends Wire {
    Pin(End end) {
      super(end);
    }

    @Override
    protected long message() {
      return vector.data(0);
    }

    @Override
    protected void program() {
      sent = -1;
      writes.write("program");
      sent = vector.data(0);
    }

    @Override
    protected void silence() {
      writes.write("silence");
      sent = -1;
    }
  }

  private List<Integer> arrivesAt() {
    List<Integer> cpus = new ArrayList<>();
    if (sent >= 0) {
      controller.message(DOORBELL, sent, SOURCE);
    }
    controller.collect((number, cpu) -> cpus.add(cpu));
    return cpus;
  }

  @Test
  void aMoveThatFailsLeavesTheSenderWhereItWas() {
    int failed = 0;
    for (int nth = 1; nth <= 4; nth++) {
      Wire pin = wires.connect("pin " + nth, 1, Pin::new);
      writes.failAt(nth);
      boolean moved = true;
      try {
        pin.retarget(2);
      } catch (InjectedFault e) {
        moved = false;
        failed++;
      }
      writes.neverFail();
      int there = moved ? 2 : 1;
      assertEquals(there, pin.cpu(), "write " + nth);
      assertEquals(List.of(there), arrivesAt(), "write " + nth);
      pin.retarget(3);
      assertEquals(List.of(3), arrivesAt());
      pin.disconnect();
      assertEquals(VECTORS, controller.vectorsFree());
    }
    assertEquals(3, failed, "of vector, register and the move's end");
  }

  @Test
  void aConnectionThatFailsLeavesNothing() {
    for (int nth = 1; nth <= 3; nth++) {
      writes.failAt(nth);
      assertThrows(InjectedFault.class, () -> wires.connect("pin", 1, Pin::new), "write " + nth);
      assertEquals(VECTORS, controller.vectorsFree(), "write " + nth);
      assertEquals(-1, sent, "write " + nth);
      wires.connect("pin", 0, Pin::new).disconnect();
    }
  }

  @Test
  void aVectorGoesBackWhereItsWireCannotBeMadeAndWhereItCannotBeSilenced() {
    assertThrows(
        IllegalArgumentException.class,
        () ->
            wires.connect(
                "pin",
                0,
                _ -> {
                  throw new IllegalArgumentException("no such pin");
                }));
    assertEquals(VECTORS, controller.vectorsFree());
    UnsupportedOperationException e =
        assertThrows(
            UnsupportedOperationException.class, () -> wires.connect("pin", 0, DeadPin::new));
    assertEquals("program", e.getMessage());
    assertEquals(1, e.getSuppressed().length, "it could not be silenced either");
    assertEquals(VECTORS, controller.vectorsFree());
    Wire pin = wires.connect("pin", 0, Pin::new);
    assertThrows(IllegalStateException.class, () -> wires.connect("pin", 0, Pin::new));
    pin.disconnect();
    assertThrows(IllegalStateException.class, () -> pin.retarget(1));
  }

  /// One whose register takes nothing.
  private static final class DeadPin extends Wire {
    DeadPin(End end) {
      super(end);
    }

    @Override
    protected long message() {
      return 0;
    }

    @Override
    protected void program() {
      throw new UnsupportedOperationException("program");
    }

    @Override
    protected void silence() {
      throw new UnsupportedOperationException("silence");
    }
  }
}
