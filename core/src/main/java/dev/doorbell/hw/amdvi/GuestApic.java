package dev.doorbell.hw.amdvi;

import dev.doorbell.address.Pa;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.irq.PostedDescriptor;
import java.util.HashMap;
import java.util.Map;

/// A virtual APIC's backing page, as the driver and a virtual machine monitor use it; and which processor runs its guest, which the entries that post
/// to it say. What they say of that is not cached, so that a move costs no invalidation.
///
/// What is posted is bits of IRR; nothing in the page says that somebody was told, so that whoever asks is told of all that is posted.
///
/// **Source** 48882 revision 3.09, 2.2.5.2; APM volume 2, 15.29.3 (backing page), 16.3 (register offsets).
final class GuestApic implements PostedDescriptor {
  private static final int PAGE = 4096;

  /// Where IRR lies in a backing page; each register of 32 vectors has 16 bytes.
  private static final int IRR = 0x200;

  private static final int IRR_STRIDE = 16;
  private static final int REGISTERS = 8;
  private static final long REQUESTS = 0xffff_ffffL;

  /// An entry that posts.
  record Place(InterruptTable table, int index) {}

  private final GuestApics all;
  private final int tag;
  private final PhysicalMemory memory;
  private final Frames frames;
  private final long at;
  private final Map<Place, Integer> vectors = new HashMap<>();
  private boolean suppressed = true;
  private boolean placed;
  private long apicId;

  GuestApic(GuestApics all, int tag, PhysicalMemory memory, Frames frames) {
    this.all = all;
    this.tag = tag;
    this.memory = memory;
    this.frames = frames;
    this.at = frames.allocate(PAGE, PAGE).value();
  }

  @Override
  public long address() {
    return at;
  }

  /// {@return an entry that posts a vector here}
  InterruptTable.Entry entry(int vector) {
    return InterruptTable.Entry.guest(
        new InterruptTable.Target(at, vector, tag), placed && !suppressed, apicId);
  }

  void posts(Place place, int vector) {
    vectors.put(place, vector);
  }

  void ends(Place place) {
    vectors.remove(place);
  }

  private void rewrite() {
    vectors.forEach((place, vector) -> place.table().move(place.index(), entry(vector)));
  }

  /// The doorbell that tells the processor raises no vector of the host's.
  @Override
  public boolean send(int vector, long processor) {
    return all.locked(() -> {
      placed = true;
      apicId = processor;
      rewrite();
      return hasPosted();
    });
  }

  @Override
  public void suppress() {
    all.locked(() -> {
      suppressed = true;
      rewrite();
      return true;
    });
  }

  /// Entries first, then IRR: what is posted in between tells the processor.
  @Override
  public boolean resume() {
    return all.locked(() -> {
      suppressed = false;
      rewrite();
      return hasPosted();
    });
  }

  boolean hasPosted() {
    long posted = 0;
    for (int i = 0; i < REGISTERS; i++) {
      posted |= memory.read64(register(i)) & REQUESTS;
    }
    return posted != 0;
  }

  @Override
  public int take(long[] into) {
    int taken = 0;
    for (int i = 0; i < REGISTERS; i++) {
      long before;
      do {
        before = memory.read64(register(i));
      } while (!memory.compareAndSet64(register(i), before, before & ~REQUESTS));
      long bits = before & REQUESTS;
      into[i * Integer.SIZE / Long.SIZE] |= bits << i * Integer.SIZE % Long.SIZE;
      taken += Long.bitCount(bits);
    }
    return taken;
  }

  private long register(int index) {
    return at + IRR + (long) index * IRR_STRIDE;
  }

  /// @throws IllegalStateException when an entry still posts here
  @Override
  public void close() {
    all.locked(() -> {
      if (!vectors.isEmpty()) {
        throw new IllegalStateException(
            "%d vectors are still posted to the virtual APIC at 0x%x; end that first"
                .formatted(vectors.size(), at));
      }
      all.forget(tag);
      frames.free(new Pa(at), PAGE);
      return true;
    });
  }
}
