package dev.doorbell.vmsa;

import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.simple.PlainMemory;
import java.util.function.LongConsumer;

/// Memory one access of which fails: the n-th write or read of a descriptor from a moment on.
final class FaultyTableMemory implements PhysicalMemory {
  /// What becomes of the access.
  enum Fault {
    /// The write is lost.
    LOST,
    /// The write is carried out and reported as failed.
    LANDED,
    /// The write is lost, and so is every later one to the same place.
    STUCK,
    /// The write is carried out and reported as failed, and every later one to the same place is lost.
    LANDED_AND_STUCK,
    /// As STUCK, and from then on every read fails.
    STUCK_AND_BLIND,
    /// A read fails.
    READ
  }

  final PlainMemory plain;
  private Fault fault = Fault.LOST;
  private long left = -1;
  private long stuckAt = -1;
  private long failedAt = -1;
  private boolean blind;
  private boolean unpublished;
  private LongConsumer onWrite = pa -> {};

  FaultyTableMemory(PlainMemory plain) {
    this.plain = plain;
  }

  /// Makes the n-th access from now fail; 1 is the next one.
  void failAt(long nth, Fault kind) {
    fault = kind;
    left = nth;
  }

  /// Makes the first write to the table that starts there land and be reported as failed.
  void failWriteTo(long table) {
    fault = Fault.LANDED;
    onWrite =
        pa -> {
          if (pa - table >= 0 && pa - table < 0x1000) {
            left = 1;
            onWrite = other -> {};
          }
        };
  }

  /// {@return whether the access that was to fail did not come; nothing fails any more}
  boolean stillToFail() {
    boolean waiting = left > 0;
    left = -1;
    stuckAt = -1;
    blind = false;
    return waiting;
  }

  /// Called with the place of each write before it happens.
  void onWrite(LongConsumer called) {
    onWrite = called;
  }

  /// {@return whether hardware may not see the last write yet}
  boolean isUnpublished() {
    return unpublished;
  }

  /// {@return where the access failed}
  long failedAt() {
    return failedAt;
  }

  @Override
  public long read(long pa, int bytes) {
    if (fault == Fault.READ && left > 0 && --left == 0) {
      failedAt = pa;
      throw new BusErrorException("read", pa, bytes);
    }
    if (blind) {
      throw new BusErrorException("another read", pa, bytes);
    }
    return plain.read(pa, bytes);
  }

  @Override
  public void write(long pa, long value, int bytes) {
    onWrite.accept(pa);
    unpublished = true;
    boolean fails = fault != Fault.READ && left > 0 && --left == 0;
    if (pa == stuckAt) {
      throw new BusErrorException("another write", pa, bytes);
    }
    if (!fails) {
      plain.write(pa, value, bytes);
      return;
    }
    failedAt = pa;
    if (fault == Fault.LANDED || fault == Fault.LANDED_AND_STUCK) {
      plain.write(pa, value, bytes);
    }
    if (fault != Fault.LOST && fault != Fault.LANDED) {
      stuckAt = pa;
    }
    blind = fault == Fault.STUCK_AND_BLIND;
    throw new BusErrorException("write", pa, bytes);
  }

  @Override
  public void read(long pa, byte[] into) {
    plain.read(pa, into);
  }

  @Override
  public void write(long pa, byte[] from) {
    plain.write(pa, from);
  }

  @Override
  public void fill(long pa, long bytes, byte value) {
    plain.fill(pa, bytes, value);
  }

  @Override
  public void publish() {
    plain.publish();
    unpublished = false;
  }
}
