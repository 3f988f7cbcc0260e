package dev.doorbell.hw.pcie;

import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap.Hit;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.pci.Firing;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/// The device behind {@link DemoLayout}. Copies run at once, on the thread that starts them.
public final class DemoRegisters implements EndpointRegisters {
  private final ReentrantLock lock = new ReentrantLock();
  private final int vectors;
  private final long[] words = new long[(int) (DemoLayout.COPIED.offset() / Integer.BYTES) + 1];

  /// @param vectors what VECTORS reads as
  public DemoRegisters(int vectors) {
    this.vectors = vectors;
    reset();
  }

  @Override
  public long read(EndpointModel device, int bar, long offset, int bytes) {
    if (bar != 0 || offset % Integer.BYTES != 0 || bytes < Integer.BYTES) {
      return 0;
    }
    lock.lock();
    try {
      long value = word(offset);
      return bytes == Long.BYTES ? value | word(offset + Integer.BYTES) << Integer.SIZE : value;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void write(EndpointModel device, int bar, long offset, long value, int bytes) {
    if (bar != 0 || offset % Integer.BYTES != 0 || bytes < Integer.BYTES) {
      return;
    }
    writeWord(device, offset, value & 0xffff_ffffL);
    if (bytes == Long.BYTES) {
      writeWord(device, offset + Integer.BYTES, value >>> Integer.SIZE);
    }
  }

  @Override
  public void reset() {
    lock.lock();
    try {
      Arrays.fill(words, 0);
      words[0] = DemoLayout.ID.reset();
      put(DemoLayout.VECTORS, Math.min(vectors, DemoLayout.VECTOR.max()));
    } finally {
      lock.unlock();
    }
  }

  private void writeWord(EndpointModel device, long offset, long value) {
    Optional<Hit> hit = DemoLayout.MAP.find(offset);
    if (hit.isEmpty()) {
      return;
    }
    Register register = hit.get().register();
    lock.lock();
    try {
      int at = (int) (offset / Integer.BYTES);
      long rw = register.access().rw() >>> hit.get().byteOffset() * Byte.SIZE & 0xffff_ffffL;
      words[at] = words[at] & ~rw | value & rw;
    } finally {
      lock.unlock();
    }
    if (register == DemoLayout.RING) {
      ring(device, DemoLayout.VECTOR.getInt(value));
    } else if (register == DemoLayout.COPY && DemoLayout.START.isSet(value)) {
      copy(device, value);
    }
  }

  private void ring(EndpointModel device, int vector) {
    long outcome = vector >= vectors ? Firing.OFF.ordinal() + 1 : device.fire(vector).ordinal() + 1;
    lock.lock();
    try {
      put(DemoLayout.FIRED, outcome);
    } finally {
      lock.unlock();
    }
  }

  private void copy(EndpointModel device, long command) {
    long source;
    long destination;
    int length;
    lock.lock();
    try {
      source = wide(DemoLayout.SOURCE);
      destination = wide(DemoLayout.DESTINATION);
      length = DemoLayout.BYTES.getInt(word(DemoLayout.LENGTH.offset()));
      put(DemoLayout.COPIED, 0);
    } finally {
      lock.unlock();
    }
    long result = DemoLayout.DONE.place(1);
    int done = 0;
    while (done < length) {
      int step = step(source + done, destination + done, length - done);
      BusRead got = device.dmaRead(source + done, step);
      if (got.outcome() != BusOutcome.OK) {
        result |= DemoLayout.READ_ERROR.place(1);
        break;
      }
      if (device.dmaWrite(destination + done, got.value(), step) != BusOutcome.OK) {
        result |= DemoLayout.WRITE_ERROR.place(1);
        break;
      }
      done += step;
    }
    lock.lock();
    try {
      put(DemoLayout.COPIED, result | DemoLayout.COPIED_BYTES.place(done));
    } finally {
      lock.unlock();
    }
    if (DemoLayout.THEN_RING.isSet(command)) {
      ring(device, DemoLayout.RING_VECTOR.getInt(command));
    }
  }

  /// The largest naturally aligned step of 8, 4, 2 or 1 bytes.
  private static int step(long source, long destination, int left) {
    int step = Long.BYTES;
    while (step > left || ((source | destination) & (step - 1)) != 0) {
      step >>= 1;
    }
    return step;
  }

  private long word(long offset) {
    int at = (int) (offset / Integer.BYTES);
    return at < words.length ? words[at] : 0;
  }

  private long wide(Register register) {
    return word(register.offset()) | word(register.offset() + Integer.BYTES) << Integer.SIZE;
  }

  private void put(Register register, long value) {
    words[(int) (register.offset() / Integer.BYTES)] = value;
  }
}
