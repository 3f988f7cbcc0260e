package dev.doorbell.qemu;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.pci.ConfigSpace;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/// QEMU's `ppce500` machine with the teaching device, set up as firmware would, which does not run: a window to the device's registers, and the chip's own
/// registers within the reach of functions.
///
/// **Source**: QEMU 7.2 `hw/pci-host/ppce500.c`, `hw/ppc/e500.c`.
final class Ppce500 implements AutoCloseable {
  static final int BRIDGE = 0;
  static final int EDU = 0x11 << 3;

  /// Where functions see the chip's registers.
  static final long CCSR_AS_SEEN = 0x7000_0000L;

  private static final long CCSR = 0xf_e000_0000L;
  private static final long PCI = CCSR + 0x8000;
  private static final long WINDOW = 0xc_0000_0000L;
  private static final long BUS_MEMORY = 0x8000_0000L;
  private static final int WINDOW_BITS = 28;
  private static final int PAGE_BITS = 12;
  private static final int MEMORY_AND_MASTER = 6;
  private static final int IMAGE_BYTES = 0x58;
  private static final int ENTRY = 0x10_0000;

  private final QemuProcess qemu;
  private final Qtest qtest;

  private Ppce500(QemuProcess qemu) {
    this.qemu = qemu;
    qtest = qemu.qtest();
    pci(0xc20, BUS_MEMORY >>> PAGE_BITS);
    pci(0xc28, WINDOW >>> PAGE_BITS);
    pci(0xc30, 1L << 31 | WINDOW_BITS - 1);
    place(BRIDGE, CCSR_AS_SEEN);
    place(EDU, BUS_MEMORY);
  }

  static Ppce500 startOrSkip() {
    QemuBinary binary;
    try {
      binary = QemuBinary.all("qemu-system-ppc64").getFirst();
    } catch (QemuMissing e) {
      return Assumptions.abort("%s; %s".formatted(e.getMessage(), e.advice()));
    }
    QemuProcess qemu = start(binary);
    try {
      return new Ppce500(qemu);
    } catch (RuntimeException | Error failed) {
      qemu.close();
      throw failed;
    }
  }

  private static QemuProcess start(QemuBinary binary) {
    try {
      Path firmware = Files.createTempFile("never-run", ".elf");
      try {
        Files.write(firmware, image());
        return QemuProcess.start(
            new QemuProcess.Settings(
                binary,
                "ppce500",
                AddressRange.ofSize(0, 1L << 28),
                List.of("-cpu", "e5500", "-bios", firmware.toString(), "-device", "edu,addr=0x11"),
                Qemus.PATIENCE));
      } finally {
        Files.delete(firmware);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// The machine wants a program: an ELF file of 32 bits, big-endian, with one instruction that branches to itself.
  private static byte[] image() {
    ByteBuffer out = ByteBuffer.allocate(IMAGE_BYTES);
    out.putInt(0x7f45_4c46).put((byte) 1).put((byte) 2).put((byte) 1).position(16);
    out.putShort((short) 2).putShort((short) 20).putInt(1).putInt(ENTRY).putInt(52).putInt(0);
    out.putInt(0).putShort((short) 52).putShort((short) 32).putShort((short) 1).position(52);
    out.putInt(1).putInt(84).putInt(ENTRY).putInt(ENTRY).putInt(4).putInt(4).putInt(5).putInt(4);
    return out.putInt(0x4800_0000).array();
  }

  private void pci(int offset, long value) {
    qtest.write(PCI + offset, value, Integer.BYTES);
  }

  private void place(int rid, long at) {
    ConfigSpace config = config(rid);
    config.write(0x10, (int) at, Integer.BYTES);
    config.write(0x4, MEMORY_AND_MASTER, Short.BYTES);
  }

  /// {@return registers of the chip as its processors see them}
  RegisterBus registers(long offset, long bytes) {
    return new QtestWindow(qtest, AddressRange.ofSize(CCSR + offset, bytes));
  }

  /// {@return the teaching device's registers, which it has in the processor's order of bytes}
  RegisterBus edu() {
    return new QtestWindow(qtest, AddressRange.ofSize(WINDOW, 0x10_0000));
  }

  /// {@return a function's configuration space, of 256 bytes}
  ConfigSpace config(int rid) {
    return new ConfigSpace() {
      @Override
      public int size() {
        return 0x100;
      }

      @Override
      public int read(int offset, int bytes) {
        ConfigSpace.check(offset, bytes);
        pci(0, 1L << 31 | (long) rid << 8 | offset & ~3);
        return swapped((int) qtest.read(PCI + 4 + (offset & 3), bytes), bytes);
      }

      @Override
      public void write(int offset, int value, int bytes) {
        ConfigSpace.check(offset, bytes);
        pci(0, 1L << 31 | (long) rid << 8 | offset & ~3);
        qtest.write(PCI + 4 + (offset & 3), Integer.toUnsignedLong(swapped(value, bytes)), bytes);
      }
    };
  }

  private static int swapped(int value, int bytes) {
    return Integer.reverseBytes(value) >>> Integer.SIZE - bytes * Byte.SIZE;
  }

  @Override
  public void close() {
    qemu.close();
  }
}
