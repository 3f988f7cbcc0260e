package dev.doorbell.host;

import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.simple.ForwardingMemory;

/// Memory that a driver writes one word of wrongly, each time.
final class MistakenMemory extends ForwardingMemory {
  private final long word;
  private final long wrong;

  MistakenMemory(PhysicalMemory real, long word, long wrong) {
    super(real);
    this.word = word;
    this.wrong = wrong;
  }

  @Override
  public void write(long pa, long value, int bytes) {
    super.write(pa, bytes == Long.BYTES && value == word ? wrong : value, bytes);
  }
}
