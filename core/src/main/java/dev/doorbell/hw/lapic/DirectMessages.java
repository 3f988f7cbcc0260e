package dev.doorbell.hw.lapic;

import dev.doorbell.irq.InterruptRemapper;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.RemapEntries;
import dev.doorbell.irq.X86CommandLayout;
import dev.doorbell.irq.X86Interrupt;
import dev.doorbell.irq.X86MessageLayout;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicIntegerArray;

/// Messages that go to the local APICs as they are: address and datum name processor and vector, and nobody looks at who sends.
///
/// **Source**: Intel SDM volume 3, 11.11 (Message Signalled Interrupts).
final class DirectMessages implements InterruptRemapper {
  private final String id;

  DirectMessages(String id) {
    this.id = id;
  }

  @Override
  public String id() {
    return id;
  }

  @Override
  public boolean isolated() {
    return false;
  }

  @Override
  public long lastDestination() {
    return LapicDriver.LAST_XAPIC_ID;
  }

  @Override
  public int free() {
    return Integer.MAX_VALUE;
  }

  @Override
  public RemapEntries allocate(MsiSource source, int count, boolean contiguous) {
    return new Messages(count);
  }

  /// What each vector's message names.
  private static final class Messages implements RemapEntries {
    private final AtomicIntegerArray destinations;
    private final AtomicIntegerArray vectors;

    Messages(int count) {
      destinations = new AtomicIntegerArray(count);
      vectors = new AtomicIntegerArray(count);
    }

    @Override
    public long address(int index) {
      return X86MessageLayout.FEE.place(X86MessageLayout.WINDOW)
          | X86MessageLayout.DESTINATION.place(destinations.get(index));
    }

    @Override
    public int data(int index) {
      return (int) X86MessageLayout.VECTOR.place(vectors.get(index));
    }

    @Override
    public OptionalInt entry(int index) {
      return OptionalInt.empty();
    }

    @Override
    public boolean keepsMessage() {
      return false;
    }

    @Override
    public void route(int index, X86Interrupt to) {
      if (to.logical() || to.deliveryMode() != X86CommandLayout.FIXED) {
        throw new IllegalArgumentException("%s is not for one processor".formatted(to));
      }
      destinations.set(index, Math.toIntExact(to.destination()));
      vectors.set(index, to.vector());
    }

    /// The device's own mask is all that holds such a message back.
    @Override
    public void block(int index) {}

    @Override
    public void free() {}
  }
}
