package dev.doorbell.hw.vtd;

import static dev.doorbell.hw.vtd.PostedLayout.*;

import dev.doorbell.address.Pa;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.irq.PostedDescriptor;
import java.util.function.LongUnaryOperator;

/// A posted interrupt descriptor, as the driver and a virtual machine monitor use it. Every change is one atomic update of a quadword, since
/// units change the others meanwhile.
///
/// **Source**: Intel Virtualization Technology for Directed I/O, revision 4.1, 5.2 (interrupt posting), 9.12.
final class PostedRequests implements PostedDescriptor {
  private final PhysicalMemory memory;
  private final Frames frames;
  private final boolean extended;
  private final long at;

  /// @param extended whether destinations have 32 bits
  PostedRequests(VtdHardware unit, boolean extended) {
    this.memory = unit.memory();
    this.frames = unit.frames();
    this.extended = extended;
    this.at = frames.allocate(BYTES, BYTES).value();
    memory.write64(at + CONTROL_AT, SN.mask());
    memory.publish();
  }

  @Override
  public long address() {
    return at;
  }

  /// Changes a quadword. {@return what it was}
  private long update(long offset, LongUnaryOperator change) {
    long before;
    do {
      before = memory.read64(at + offset);
    } while (!memory.compareAndSet64(at + offset, before, change.applyAsLong(before)));
    return before;
  }

  @Override
  public boolean send(int vector, long apicId) {
    long to = NV.place(vector) | ndst(apicId, extended);
    long kept = ~(NV.mask() | NDST.mask());
    return ON.isSet(update(CONTROL_AT, c -> c & kept | to));
  }

  @Override
  public void suppress() {
    update(CONTROL_AT, c -> c | SN.mask());
  }

  /// SN first, then PIR: what is posted in between notifies.
  @Override
  public boolean resume() {
    boolean outstanding = ON.isSet(update(CONTROL_AT, c -> c & ~SN.mask()));
    long posted = 0;
    for (int i = 0; i < PIR_WORDS; i++) {
      posted |= memory.read64(at + (long) i * Long.BYTES);
    }
    return !outstanding && posted != 0;
  }

  /// ON first, then PIR: the other way round a bit that is set in between would be left without a notification.
  @Override
  public int take(long[] into) {
    update(CONTROL_AT, c -> c & ~ON.mask());
    int taken = 0;
    for (int i = 0; i < PIR_WORDS; i++) {
      long word = update((long) i * Long.BYTES, _ -> 0);
      into[i] |= word;
      taken += Long.bitCount(word);
    }
    return taken;
  }

  @Override
  public void close() {
    frames.free(new Pa(at), BYTES);
  }
}
