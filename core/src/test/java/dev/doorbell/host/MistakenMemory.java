package dev.doorbell.host;

import dev.doorbell.bus.PhysicalMemory;

/// Memory that a driver writes one word of wrongly, each time.
record MistakenMemory(PhysicalMemory real, long word, long wrong) implements PhysicalMemory {
  @Override
  public long read(long pa, int bytes) {
    return real.read(pa, bytes);
  }

  @Override
  public void write(long pa, long value, int bytes) {
    real.write(pa, bytes == Long.BYTES && value == word ? wrong : value, bytes);
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
