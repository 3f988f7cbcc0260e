package dev.doorbell.hw.vtd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.doorbell.bus.RegisterBus;
import dev.doorbell.bus.Rollback;
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
    QueueDriver queue =
        QueueDriver.start(new VtdPort("vt-d@0", unit), memory, frames, false, new Rollback());
    assertThrows(VtdException.class, queue::allPages);
    unit.late = true;
    assertThrows(VtdException.class, queue::allContexts);
  }

  /// A unit as QEMU's `intel-iommu` is: it stops at its first descriptor, and at a wait that neither writes nor interrupts.
  private final class StrictUnit implements RegisterBus {
    private long commands;
    private long queue;
    private long head;
    private long tail;
    private long faults;
    private boolean spoilt;

    @Override
    public long read(long offset, int bytes) {
      return switch ((int) offset) {
        case 0x1c -> commands;
        case 0x34 -> faults;
        case 0x80 -> head;
        default -> 0;
      };
    }

    @Override
    public void write(long offset, long value, int bytes) {
      switch ((int) offset) {
        case 0x18 -> commands = value;
        case 0x34 -> faults &= ~value;
        case 0x88 -> tail = value;
        case 0x90 -> queue = value & -0x1000L;
        default -> throw new AssertionError("a write to 0x%x".formatted(offset));
      }
      while (head != tail && faults == 0) {
        take(memory.read64(queue + head), memory.read64(queue + head + 8));
      }
    }

    private void take(long low, long high) {
      boolean waits = (low & 0xf) == 5;
      boolean writes = waits && (low & 1 << 5) != 0;
      if (!spoilt || waits && !writes) {
        spoilt = true;
        faults = 1 << 4;
        return;
      }
      if (writes) {
        memory.write32(high, (int) (low >>> 32));
      }
      head = (head + 16) % 0x1000;
    }
  }

  @Test
  @DisplayName("a queue that stopped goes on where a wait that asks for a fence alone is an error")
  void recovers() {
    StrictUnit unit = new StrictUnit();
    CountedFrames frames = new CountedFrames(memory, RAM, 0x10_0000);
    QueueDriver queue =
        QueueDriver.start(new VtdPort("vt-d@0", unit), memory, frames, false, new Rollback());
    assertThrows(VtdException.class, queue::allPages);
    queue.allContexts();
    assertEquals(0, unit.faults);
    assertEquals(4 * 16, unit.head);
  }
}
