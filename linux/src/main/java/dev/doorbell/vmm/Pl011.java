package dev.doorbell.vmm;

import dev.doorbell.bus.RegisterBus;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntConsumer;

/// A PL011 console: what is written goes out at once, so that its transmit FIFO is always empty. Safe for use from many threads.
///
/// **Source**: Arm DDI 0183 (PrimeCell UART PL011), chapter 3
final class Pl011 implements RegisterBus {
  /// Where the interrupt goes; the console's lock is held.
  @FunctionalInterface
  interface Line {
    void set(boolean high);
  }

  private static final int DR = 0x00;
  private static final int FR = 0x18;
  private static final int IBRD = 0x24;
  private static final int FBRD = 0x28;
  private static final int LCR_H = 0x2c;
  private static final int CR = 0x30;
  private static final int IFLS = 0x34;
  private static final int IMSC = 0x38;
  private static final int RIS = 0x3c;
  private static final int MIS = 0x40;
  private static final int ICR = 0x44;
  private static final int PERIPH_ID = 0xfe0;
  private static final int WORD_MASK = 0x7ff;
  private static final int REGISTERS = 0x1000 / Integer.BYTES;

  /// FR: receive FIFO empty, transmit FIFO empty.
  private static final int RXFE = 1 << 4;

  private static final int TXFE = 1 << 7;

  /// RIS, MIS, IMSC, ICR: receive, transmit.
  private static final int RX = 1 << 4;

  private static final int TX = 1 << 5;

  /// UARTPeriphID0 to 3 of revision r1p5, and UARTPCellID0 to 3.
  private static final int[] IDS = {0x11, 0x10, 0x34, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

  private final IntConsumer out;
  private final Line line;
  private final ReentrantLock lock = new ReentrantLock();
  private final Deque<Byte> received = new ArrayDeque<>();
  private final int[] plain = new int[REGISTERS];
  private int raw;
  private boolean high;

  /// @param out takes each character, 0 to 255
  Pl011(IntConsumer out, Line line) {
    this.out = out;
    this.line = line;
    // Reset values: transmit and receive enabled, levels at half.
    plain[CR / Integer.BYTES] = 0x300;
    plain[IFLS / Integer.BYTES] = 0x12;
  }

  /// Hands a character to the guest.
  void type(int character) {
    lock.lock();
    try {
      received.add((byte) character);
      raw |= RX;
      update();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public long read(long offset, int bytes) {
    lock.lock();
    try {
      int at = (int) offset & ~(Integer.BYTES - 1);
      int value =
          switch (at) {
            case DR -> take();
            case FR -> TXFE | (received.isEmpty() ? RXFE : 0);
            case RIS -> raw;
            case MIS -> raw & plain[IMSC / Integer.BYTES];
            case IBRD, FBRD, LCR_H, CR, IFLS, IMSC -> plain[at / Integer.BYTES];
            default -> at >= PERIPH_ID ? IDS[(at - PERIPH_ID) / Integer.BYTES] : 0;
          };
      return Integer.toUnsignedLong(value >>> (int) (offset - at) * Byte.SIZE);
    } finally {
      lock.unlock();
    }
  }

  private int take() {
    if (received.isEmpty()) {
      return 0;
    }
    int c = Byte.toUnsignedInt(received.remove());
    if (received.isEmpty()) {
      raw &= ~RX;
      update();
    }
    return c;
  }

  @Override
  public void write(long offset, long value, int bytes) {
    lock.lock();
    try {
      int v = (int) value;
      switch ((int) offset) {
        case DR -> {
          out.accept(v & 0xff);
          raw |= TX;
        }
        case ICR -> raw &= ~(v & WORD_MASK);
        case IBRD, FBRD, LCR_H, CR, IFLS, IMSC -> plain[(int) offset / Integer.BYTES] = v;
        default -> {
          // Read-only, or of DMA, which it has not.
        }
      }
      if (!received.isEmpty()) {
        raw |= RX;
      }
      update();
    } finally {
      lock.unlock();
    }
  }

  private void update() {
    boolean now = (raw & plain[IMSC / Integer.BYTES]) != 0;
    if (now != high) {
      high = now;
      line.set(now);
    }
  }
}
