import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.vfio.DmaBuffer;

/// A buffer as memory whose first byte has the address 0.
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
    for (long i = 0; i < bytes; i++) {
      buffer.write(pa + i, 1, value);
    }
  }

  @Override
  public void publish() {
    buffer.publish();
  }
}
