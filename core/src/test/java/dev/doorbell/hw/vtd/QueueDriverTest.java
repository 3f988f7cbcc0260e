package dev.doorbell.hw.vtd;

import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.doorbell.bus.RegisterBus;
import dev.doorbell.simple.CountedFrames;
import dev.doorbell.simple.PlainMemory;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("VT-d 6.5.2: the driver's side of the invalidation queue")
class QueueDriverTest {
  private static final long RAM = 0x1000_0000L;

  private final PlainMemory memory = new PlainMemory(RAM, 0x10_0000);

  /// A unit that takes commands, and does nothing for the queue but, when it is told to, its first wait descriptor.
  private final class LateUnit implements RegisterBus {
    private long commands;
    private long queue;
    private boolean late;

    @Override
    public long read(long offset, int bytes) {
      return offset == 0x1c ? commands : 0;
    }

    @Override
    public void write(long offset, long value, int bytes) {
      if (offset == 0x18) {
        commands = value;
      } else if (offset == 0x90) {
        queue = value & -0x1000L;
      } else if (offset == 0x88 && late) {
        long wait = memory.read64(queue + 16);
        memory.write32(memory.read64(queue + 24), (int) (wait >>> 32));
      }
    }
  }

  @Test
  @DisplayName("the status of a wait that was given up is not taken for that of a later one")
  void late() {
    LateUnit unit = new LateUnit();
    CountedFrames frames = new CountedFrames(memory, RAM, 0x10_0000);
    QueueDriver queue = QueueDriver.start(new VtdPort("vt-d@0", unit), memory, frames, false);
    assertThrows(VtdException.class, queue::allPages);
    unit.late = true;
    assertThrows(VtdException.class, queue::allContexts);
  }
}
