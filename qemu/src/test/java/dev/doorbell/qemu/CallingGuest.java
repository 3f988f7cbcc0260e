package dev.doorbell.qemu;

import dev.doorbell.bus.PhysicalMemory;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/// A guest of QEMU's `pseries` machine whose program makes hypervisor calls and nothing else: those that it finds in its memory. It takes the place of the
/// machine's firmware. Its processor runs, and looks for calls, all the time.
///
/// **Source**: Power ISA 3.1, book I, instructions `addi`, `addis`, `b`, `bc`, `cmpdi`, `ld`, `sc`, `std` (formats D, DS, I, B, SC); QEMU 7.2
/// `hw/ppc/spapr.c` (firmware is loaded at 0 and entered at 0x100, big-endian, untranslated).
final class CallingGuest {
  /// How many calls are to be made; 0 when they have been.
  private static final long COUNT = 0x1_0000;

  private static final int FIRST = 0x80;
  private static final int CALL_BYTES = 0x80;

  /// Registers of a call, from R3 on.
  static final int REGISTERS = 10;

  private static final int ENTRY = 0x100;
  private static final int IMAGE_BYTES = 0x200;
  private static final long PAUSE = 10_000;

  private static final int MAILBOX = 31;
  private static final int LEFT = 30;
  private static final int CALL = 29;

  private CallingGuest() {}

  /// {@return what is to be the machine's firmware}
  static byte[] image() {
    ByteBuffer out = ByteBuffer.allocate(IMAGE_BYTES);
    out.position(ENTRY);
    out.putInt(d(15, MAILBOX, 0, (int) (COUNT >>> 16)));
    int idle = out.position();
    out.putInt(d(58, LEFT, MAILBOX, 0));
    out.putInt(d(11, 1, LEFT, 0));
    out.putInt(branch(12, idle - out.position()));
    out.putInt(d(14, CALL, MAILBOX, FIRST));
    int next = out.position();
    for (int i = 0; i < REGISTERS; i++) {
      out.putInt(d(58, 3 + i, CALL, i * Long.BYTES));
    }
    out.putInt(0x4400_0022);
    for (int i = 0; i < REGISTERS; i++) {
      out.putInt(d(62, 3 + i, CALL, i * Long.BYTES));
    }
    out.putInt(d(14, CALL, CALL, CALL_BYTES));
    out.putInt(d(14, LEFT, LEFT, -1));
    out.putInt(d(11, 1, LEFT, 0));
    out.putInt(branch(4, next - out.position()));
    out.putInt(d(62, LEFT, MAILBOX, 0));
    out.putInt(18 << 26 | idle - out.position() & 0x3ff_fffc);
    return out.array();
  }

  private static int d(int opcode, int target, int base, int displacement) {
    return opcode << 26 | target << 21 | base << 16 | displacement & 0xffff;
  }

  /// On the bit that tells of equality.
  private static int branch(int how, int distance) {
    return 16 << 26 | how << 21 | 2 << 16 | distance & 0xfffc;
  }

  /// Makes calls, one after another; each one's registers are what it tells, afterwards.
  static void call(QemuProcess qemu, Duration patience, List<long[]> calls) {
    PhysicalMemory ram = qemu.ram();
    for (int i = 0; i < calls.size(); i++) {
      long at = COUNT + FIRST + (long) i * CALL_BYTES;
      long[] registers = calls.get(i);
      for (int r = 0; r < REGISTERS; r++) {
        put(ram, at + (long) r * Long.BYTES, r < registers.length ? registers[r] : 0);
      }
    }
    put(ram, COUNT, calls.size());
    long end = System.nanoTime() + patience.toNanos();
    while (ram.read64(COUNT) != 0 && System.nanoTime() < end) {
      LockSupport.parkNanos(PAUSE);
    }
    if (ram.read64(COUNT) != 0) {
      throw new AssertionError("the guest did not make its calls");
    }
    for (int i = 0; i < calls.size(); i++) {
      long at = COUNT + FIRST + (long) i * CALL_BYTES;
      long[] registers = calls.get(i);
      for (int r = 0; r < registers.length && r < REGISTERS; r++) {
        registers[r] = Long.reverseBytes(ram.read64(at + (long) r * Long.BYTES));
      }
    }
  }

  private static void put(PhysicalMemory ram, long at, long value) {
    ram.write64(at, Long.reverseBytes(value));
  }
}
