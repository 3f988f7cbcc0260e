package dev.doorbell.vfio;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/// Memory of the machine that Doorbell drives: a run of frames, or a part of one.
final class MachineBuffer implements DmaBuffer {
  /// The frames, shared by all parts.
  private static final class Run {
    final Pa start;
    final long bytes;
    int maps;
    boolean closed;

    Run(Pa start, long bytes) {
      this.start = start;
      this.bytes = bytes;
    }
  }

  private final PhysicalMemory memory;
  private final Frames frames;
  private final Run run;
  private final AddressRange offsets;
  private final boolean whole;

  private MachineBuffer(
      PhysicalMemory memory, Frames frames, Run run, AddressRange offsets, boolean whole) {
    this.memory = memory;
    this.frames = frames;
    this.run = run;
    this.offsets = offsets;
    this.whole = whole;
  }

  static MachineBuffer allocate(OwnHost host, long bytes, long alignment) {
    Pa start = host.frames().allocate(bytes, alignment);
    return new MachineBuffer(
        host.memory(), host.frames(), new Run(start, bytes), AddressRange.ofSize(0, bytes), true);
  }

  /// {@return where the buffer starts; never told to the user}
  Pa pa() {
    return run.start.plus(offsets.start());
  }

  /// Counts a mapping, which keeps the frames.
  void mapped() {
    synchronized (run) {
      requireOpen();
      run.maps++;
    }
  }

  void unmapped() {
    synchronized (run) {
      run.maps--;
    }
  }

  @Override
  public long bytes() {
    return offsets.bytes();
  }

  @Override
  public long read(long offset, int size) {
    return memory.read(at(offset, size), size);
  }

  @Override
  public void write(long offset, int size, long value) {
    memory.write(at(offset, size), value, size);
  }

  @Override
  public void read(long offset, byte[] into) {
    memory.read(at(offset, into.length), into);
  }

  @Override
  public void write(long offset, byte[] from) {
    memory.write(at(offset, from.length), from);
  }

  @Override
  public void publish() {
    memory.publish();
  }

  @Override
  public DmaBuffer part(AddressRange part) {
    if (Long.compareUnsigned(part.last(), bytes()) >= 0) {
      throw new IndexOutOfBoundsException(
          "part %s lies outside a buffer of 0x%x bytes".formatted(part, bytes()));
    }
    AddressRange inner =
        new AddressRange(offsets.start() + part.start(), offsets.start() + part.last());
    return new MachineBuffer(memory, frames, run, inner, false);
  }

  @Override
  public Optional<MemorySegment> segment() {
    return Optional.empty();
  }

  @Override
  public void close() {
    synchronized (run) {
      if (!whole || run.closed) {
        return;
      }
      if (run.maps > 0) {
        throw new InUse(
            "give a buffer of 0x%x bytes back".formatted(run.bytes), "the buffer", "a container");
      }
      frames.free(run.start, run.bytes);
      run.closed = true;
    }
  }

  private long at(long offset, long size) {
    if (offset < 0 || size < 0 || offset > bytes() - size) {
      throw new IndexOutOfBoundsException(
          "%d bytes at 0x%x lie outside a buffer of 0x%x bytes".formatted(size, offset, bytes()));
    }
    synchronized (run) {
      requireOpen();
    }
    return pa().value() + offset;
  }

  private void requireOpen() {
    if (run.closed) {
      throw new IllegalStateException("the buffer was given back");
    }
  }
}
