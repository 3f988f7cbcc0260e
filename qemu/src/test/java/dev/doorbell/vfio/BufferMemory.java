package dev.doorbell.vfio;

import dev.doorbell.bus.PhysicalMemory;
import java.util.Arrays;

/// A program's buffer, seen as memory from address 0: what makes a device work is told of memory so.
record BufferMemory(DmaBuffer buffer) implements PhysicalMemory {
  @Override
  public long read(long pa, int bytes) {
    return buffer.read(pa, bytes);
  }

  @Override
  public void write(long pa, long value, int bytes) {
    buffer.write(pa, bytes, value);
  }

  @Override
  public void read(long pa, byte[] into) {
    buffer.read(pa, into);
  }

  @Override
  public void write(long pa, byte[] from) {
    buffer.write(pa, from);
  }

  @Override
  public void fill(long pa, long bytes, byte value) {
    byte[] all = new byte[Math.toIntExact(bytes)];
    Arrays.fill(all, value);
    buffer.write(pa, all);
  }

  @Override
  public void publish() {
    buffer.publish();
  }
}
