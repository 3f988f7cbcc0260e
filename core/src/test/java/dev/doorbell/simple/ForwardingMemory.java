package dev.doorbell.simple;

import dev.doorbell.bus.PhysicalMemory;

/// Another memory as it is, but for what PhysicalMemory leaves to each memory to have: no writes of 16 bytes. Tests change single operations.
public class ForwardingMemory implements PhysicalMemory {
  private final PhysicalMemory real;

  public ForwardingMemory(PhysicalMemory real) {
    this.real = real;
  }

  @Override
  public long read(long pa, int bytes) {
    return real.read(pa, bytes);
  }

  @Override
  public void write(long pa, long value, int bytes) {
    real.write(pa, value, bytes);
  }

  @Override
  public void read(long pa, byte[] into) {
    real.read(pa, into);
  }

  @Override
  public void write(long pa, byte[] from) {
    real.write(pa, from);
  }

  @Override
  public void fill(long pa, long bytes, byte value) {
    real.fill(pa, bytes, value);
  }

  @Override
  public boolean compareAndSet64(long pa, long expected, long next) {
    return real.compareAndSet64(pa, expected, next);
  }

  @Override
  public void publish() {
    real.publish();
  }
}
