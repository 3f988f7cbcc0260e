package dev.doorbell.hw.pcie;

import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap.Hit;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/// The device behind {@link EduLayout}: one MSI vector, a word of interrupt status, DMA between memory and 4096 bytes of its own.
///
/// Transfers and factorials run at once, on the thread that starts them; the real one takes 100 ms a transfer. Addresses that leave its
/// buffer, and DMA addresses beyond its mask, end the transfer with nothing moved.
public final class EduRegisters implements EndpointRegisters {
  /// What a finished transfer raises.
  private static final long DMA_INTERRUPT = 0x100;

  private final ReentrantLock lock = new ReentrantLock();
  private final long dmaMask;
  private final Map<Register, Long> values = new HashMap<>();
  private final byte[] buffer = new byte[EduLayout.BUFFER_BYTES];

  /// @param dmaBits how wide its DMA addresses are; 28 unless it was started otherwise
  public EduRegisters(int dmaBits) {
    this.dmaMask = -1L >>> (Long.SIZE - dmaBits);
  }

  @Override
  public long read(EndpointModel device, int bar, long offset, int bytes) {
    Optional<Hit> hit = hit(bar, offset, bytes);
    if (hit.isEmpty()) {
      return -1L >>> (Long.SIZE - bytes * Byte.SIZE);
    }
    lock.lock();
    try {
      return hit.get().register().access().visible(get(hit.get().register()));
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void write(EndpointModel device, int bar, long offset, long value, int bytes) {
    Optional<Hit> hit = hit(bar, offset, bytes);
    if (hit.isEmpty()) {
      return;
    }
    Register r = hit.get().register();
    if (r == EduLayout.RAISE) {
      raise(device, value);
    } else if (r == EduLayout.DMA_COMMAND) {
      transfer(device, value);
    } else if (store(r, value)) {
      raise(device, 1);
    }
  }

  @Override
  public void reset() {
    lock.lock();
    try {
      values.clear();
      Arrays.fill(buffer, (byte) 0);
    } finally {
      lock.unlock();
    }
  }

  /// Returns whether an interrupt is to be raised.
  private boolean store(Register r, long value) {
    lock.lock();
    try {
      if (r == EduLayout.ACKNOWLEDGE) {
        values.put(EduLayout.INTERRUPT_STATUS, get(EduLayout.INTERRUPT_STATUS) & ~value);
      } else if (r == EduLayout.LIVENESS) {
        values.put(r, ~value & EduLayout.WORD.mask());
      } else if (r == EduLayout.FACTORIAL) {
        values.put(r, factorial((int) value));
        return EduLayout.FACTORIAL_INTERRUPT.isSet(get(EduLayout.STATUS));
      } else {
        values.put(r, r.legalize(get(r), value));
      }
      return false;
    } finally {
      lock.unlock();
    }
  }

  private void raise(EndpointModel device, long bits) {
    lock.lock();
    try {
      values.put(
          EduLayout.INTERRUPT_STATUS,
          get(EduLayout.INTERRUPT_STATUS) | bits & EduLayout.WORD.mask());
    } finally {
      lock.unlock();
    }
    device.fire(0);
  }

  private void transfer(EndpointModel device, long command) {
    if (!EduLayout.START.isSet(command)) {
      store(EduLayout.DMA_COMMAND, command);
      return;
    }
    boolean fromDevice = EduLayout.FROM_DEVICE.isSet(command);
    long source = valueOf(EduLayout.DMA_SOURCE);
    long destination = valueOf(EduLayout.DMA_DESTINATION);
    long count = valueOf(EduLayout.DMA_COUNT);
    long inside = (fromDevice ? source : destination) - EduLayout.BUFFER;
    boolean fits =
        inside >= 0
            && count >= 0
            && count <= EduLayout.BUFFER_BYTES
            && inside <= EduLayout.BUFFER_BYTES - count;
    if (fits) {
      long memory = (fromDevice ? destination : source) & dmaMask;
      move(device, fromDevice, (int) inside, memory, (int) count);
    }
    store(EduLayout.DMA_COMMAND, command & ~EduLayout.START.mask());
    if (EduLayout.INTERRUPT.isSet(command)) {
      raise(device, DMA_INTERRUPT);
    }
  }

  private void move(EndpointModel device, boolean fromDevice, int inside, long memory, int count) {
    for (int i = 0; i < count; i++) {
      if (fromDevice) {
        if (device.dmaWrite(memory + i, own(inside + i) & 0xff, 1) != BusOutcome.OK) {
          return;
        }
      } else {
        BusRead got = device.dmaRead(memory + i, 1);
        if (got.outcome() != BusOutcome.OK) {
          return;
        }
        own(inside + i, (byte) got.value());
      }
    }
  }

  private byte own(int at) {
    lock.lock();
    try {
      return buffer[at];
    } finally {
      lock.unlock();
    }
  }

  private void own(int at, byte value) {
    lock.lock();
    try {
      buffer[at] = value;
    } finally {
      lock.unlock();
    }
  }

  private long valueOf(Register r) {
    lock.lock();
    try {
      return get(r);
    } finally {
      lock.unlock();
    }
  }

  private long get(Register r) {
    return values.getOrDefault(r, r.reset());
  }

  /// Registers below 0x80 take doublewords, those above doublewords or quadwords that start at them.
  private static Optional<Hit> hit(int bar, long offset, int bytes) {
    if (bar != 0
        || bytes != Integer.BYTES
            && !(bytes == Long.BYTES && offset >= EduLayout.DMA_SOURCE.offset())) {
      return Optional.empty();
    }
    return EduLayout.MAP.find(offset).filter(h -> h.byteOffset() == 0);
  }

  private static long factorial(int n) {
    int product = 1;
    for (int i = n; Integer.compareUnsigned(i, 1) > 0 && product != 0; i--) {
      product *= i;
    }
    return Integer.toUnsignedLong(product);
  }
}
