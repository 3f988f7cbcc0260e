package dev.doorbell.hw.smmuv3;

import dev.doorbell.address.Pa;
import dev.doorbell.bits.Decoded;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/// The event queue. Safe for use from many threads.
///
/// **Source** IHI 0070 G.b, 3.5.1, 3.5.4, 7.2 (event queue), 7.5 (global errors).
final class EventDrain {
  private final SmmuPort port;
  private final GlobalErrors errors;
  private final PhysicalMemory memory;
  private final Frames frames;
  private final int log2;
  private final Pa base;
  private final ReentrantLock lock = new ReentrantLock();

  private EventDrain(
      SmmuPort port, GlobalErrors errors, PhysicalMemory memory, Frames frames, int log2) {
    this.port = port;
    this.errors = errors;
    this.memory = memory;
    this.frames = frames;
    this.log2 = log2;
    this.base = frames.allocate(bytes(log2), bytes(log2));
  }

  /// {@return an empty queue of 2^log2 records}
  static EventDrain create(
      SmmuPort port, GlobalErrors errors, PhysicalMemory memory, Frames frames, int log2) {
    return new EventDrain(port, errors, memory, frames, log2);
  }

  /// Tells the hardware where the queue is. The queue must be disabled.
  void program() {
    port.write(
        SmmuRegisters.EVENTQ_BASE,
        SmmuRegisters.OUTQ_BASE_ADDR.place(base.value())
            | SmmuRegisters.OUTQ_BASE_LOG2SIZE.place(log2)
            | SmmuRegisters.OUTQ_BASE_WA.place(1));
    port.write(SmmuRegisters.EVENTQ_PROD, 0);
    port.write(SmmuRegisters.EVENTQ_CONS, 0);
  }

  /// {@return all that is waiting; at most one queue's length a call}
  SmmuEvents drain() {
    lock.lock();
    try {
      long prod = port.read(SmmuRegisters.EVENTQ_PROD);
      long cons = port.read(SmmuRegisters.EVENTQ_CONS);
      int end = SmmuRegisters.OUTQ_PROD_WR.getInt(prod) & wrapMask();
      int at = SmmuRegisters.OUTQ_CONS_RD.getInt(cons) & wrapMask();
      List<SmmuEvent> events = new ArrayList<>();
      for (int left = Math.min((end - at) & wrapMask(), 1 << log2); left > 0; left--) {
        events.add(read(at & ((1 << log2) - 1)));
        at = (at + 1) & wrapMask();
      }
      boolean flag = SmmuRegisters.OUTQ_PROD_OVFLG.isSet(prod);
      boolean lost = flag != SmmuRegisters.OUTQ_CONS_OVACKFLG.isSet(cons);
      if (!events.isEmpty() || lost) {
        port.write(
            SmmuRegisters.EVENTQ_CONS,
            SmmuRegisters.OUTQ_CONS_RD.place(at)
                | SmmuRegisters.OUTQ_CONS_OVACKFLG.place(flag ? 1 : 0));
      }
      List<String> global = globalErrors();
      String full = SmmuRegisters.GERROR_EVENTQ_ABT_ERR.name();
      return new SmmuEvents(events, lost || global.contains(full), global);
    } finally {
      lock.unlock();
    }
  }

  /// Gives the queue's memory back. The queue must be disabled.
  void free() {
    frames.free(base, bytes(log2));
  }

  /// Acknowledges every active error but the command queue's, whose recovery is the command queue's, as is that of its messages.
  private List<String> globalErrors() {
    long active =
        SmmuRegisters.GERROR_MSI_CMDQ_ABT_ERR.with(
            SmmuRegisters.GERROR_CMDQ_ERR.with(errors.active(), 0), 0);
    if (active == 0) {
      return List.of();
    }
    errors.acknowledge(active);
    return SmmuRegisters.GERROR.layout().decode(active).stream()
        .filter(d -> d.raw() != 0)
        .map(Decoded::field)
        .map(field -> field.name())
        .toList();
  }

  private SmmuEvent read(int index) {
    long at = base.value() + (long) index * EventLayout.BYTES;
    return EventRecords.decode(
        memory.read64(at),
        memory.read64(at + Long.BYTES),
        memory.read64(at + 2L * Long.BYTES),
        memory.read64(at + 3L * Long.BYTES));
  }

  private int wrapMask() {
    return 2 * (1 << log2) - 1;
  }

  private static long bytes(int log2) {
    return (long) EventLayout.BYTES << log2;
  }
}
