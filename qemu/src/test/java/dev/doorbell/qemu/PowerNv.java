package dev.doorbell.qemu;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.OutOfFramesException;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.explain.Source;
import dev.doorbell.hw.phb.Phb3Driver;
import dev.doorbell.hw.phb.Phb3Hardware;
import dev.doorbell.hw.phb.Phb3Registers;
import dev.doorbell.hw.phb.Phb4Driver;
import dev.doorbell.hw.phb.Phb4Hardware;
import dev.doorbell.hw.phb.Phb4Registers;
import dev.doorbell.hw.phb.PhbDriver;
import dev.doorbell.hw.xics.XicsDriver;
import dev.doorbell.hw.xics.XicsHardware;
import dev.doorbell.hw.xive.Xive2Registers;
import dev.doorbell.hw.xive.XiveDriver;
import dev.doorbell.hw.xive.XiveGeneration;
import dev.doorbell.hw.xive.XiveHardware;
import dev.doorbell.hw.xive.XiveRegisters;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/// QEMU's POWER8, POWER9 or POWER10 machine with an NVMe controller below the first bridge, set up as firmware would, which does not run; our drivers on it.
final class PowerNv implements AutoCloseable {
  static final int RID = 0x100;

  /// What differs between machines: places of registers in the chip (XSCOM), and the interrupt controller's window.
  ///
  /// @param stack the first bridge's: two windows with their masks, registers, interrupt pages, what is on
  /// @param controller registers of the interrupt controller
  /// @param window of the interrupt controller; on POWER8 that of the first thread's
  enum Chip {
    POWER8("powernv8", "power8", 0x201_2000L, 0, AddressRange.ofSize(0x3_ffff_8000_8000L, 0x1000)),
    POWER9(
        "powernv9",
        "power9",
        0x401_0c40L + 0xe,
        0x501_3000L,
        AddressRange.ofSize(0x0006_0302_0310_0000L, XiveRegisters.BYTES)),
    POWER10(
        "powernv10",
        "power10",
        0x301_1840L + 0xe,
        0x201_0800L,
        AddressRange.ofSize(0x0006_0302_0000_0000L, Xive2Registers.BYTES));

    private final String machine;
    private final String cpu;
    private final long stack;
    private final long controller;
    private final AddressRange window;

    Chip(String machine, String cpu, long stack, long controller, AddressRange window) {
      this.machine = machine;
      this.cpu = cpu;
      this.stack = stack;
      this.controller = controller;
      this.window = window;
    }

    XiveGeneration generation() {
      return this == POWER9 ? XiveGeneration.FIRST : XiveGeneration.SECOND;
    }

    long bridge() {
      return this == POWER8 ? REGISTERS8 : REGISTERS;
    }

    long window32() {
      return this == POWER8 ? WINDOW32_8 : WINDOW32;
    }

    /// Where a register of the chip is.
    long scom(long register) {
      return this == POWER8
          ? XSCOM8 | register << 4 & -0x100 | register << 3 & 0x78
          : XSCOM + register * Long.BYTES;
    }
  }

  /// Registers of the chip (XSCOM), 8 bytes each.
  private static final long XSCOM = 0x0006_03fc_0000_0000L;

  private static final long XSCOM8 = 0x0003_fc00_0000_0000L;

  private static final long REGISTERS = 0x0006_00c3_c000_0000L;
  private static final long REGISTERS8 = 0x0003_fffe_4000_0000L;
  private static final long WINDOW32_8 = 0x0003_ff80_0000_0000L;

  /// Interrupt numbers of POWER8's first bridge, and the server that its first thread is.
  private static final int FIRST8 = 0x1000;

  private static final int MESSAGES8 = 0x7f8;
  private static final int SERVER8 = 8;
  private static final long PAGES = 0x0006_00c3_0000_0000L;
  private static final long WINDOW64 = 0x0006_0000_0000_0000L;
  private static final long WINDOW32 = 0x0006_00c0_0000_0000L;
  private static final long TIMA = 0x0006_0302_0318_0000L;
  private static final long PCI32 = 0x8000_0000L;
  private static final long GIB2 = 0x8000_0000L;
  private static final long GIB256 = 0x40_0000_0000L;
  private static final long VALID = 1L << 63;
  private static final long VALID_64K = 3L << 62;
  private static final int FIRST = 0xfe000;
  private static final int MESSAGES = 0xff8;

  /// Table of outbound windows in the bridge.
  private static final long MBT = 16;

  private final QemuProcess qemu;
  private final Chip chip;
  private final Qtest qtest;
  final Frames frames;
  final PhbDriver phb;

  private PowerNv(QemuProcess qemu, Chip chip) {
    this.qemu = qemu;
    this.chip = chip;
    qtest = qemu.qtest();
    frames = new Pool(qemu.ram(), 0x1000_0000L);
    if (chip == Chip.POWER8) {
      firmware8();
      phb = power8();
    } else {
      firmware();
      phb = power9();
    }
  }

  private PhbDriver power8() {
    return Phb3Driver.open(
        new Phb3Hardware(
            "phb3",
            window(REGISTERS8, Phb3Registers.BYTES),
            qemu.ram(),
            frames,
            new Phb4Hardware.Messages("msi", FIRST8, MESSAGES8, Source.rule("test"))),
        XicsDriver.open(
            new XicsHardware(
                "xics",
                List.of(new XicsHardware.Server(SERVER8, new QtestWindow(qtest, chip.window))),
                List.of(new XicsHardware.Sources(FIRST8, MESSAGES8)))));
  }

  private PhbDriver power9() {
    XiveDriver xive =
        XiveDriver.open(
            new XiveHardware(
                "xive",
                chip.generation(),
                new QtestWindow(qtest, chip.window),
                new Pa(chip.window.start()),
                qemu.ram(),
                frames,
                List.of(0),
                List.of(new XiveHardware.Sources(FIRST, MESSAGES))));
    return Phb4Driver.open(
        new Phb4Hardware(
            "phb4",
            chip == Chip.POWER9 ? "PHB4" : "PHB5",
            window(REGISTERS, Phb4Registers.BYTES),
            window(PAGES, 0x1000_0000L),
            qemu.ram(),
            frames,
            new Phb4Hardware.Messages("msi", FIRST, MESSAGES, Source.rule("test"))),
        xive);
  }

  static PowerNv startOrSkip(Chip chip) {
    QemuBinary binary;
    try {
      binary = QemuBinary.all("qemu-system-ppc64").getFirst();
    } catch (QemuMissing e) {
      return Assumptions.abort("%s; %s".formatted(e.getMessage(), e.advice()));
    }
    QemuProcess qemu =
        QemuProcess.start(
            new QemuProcess.Settings(
                binary,
                chip.machine,
                AddressRange.ofSize(0, 1L << 30),
                List.of(
                    "-cpu",
                    chip.cpu,
                    "-device",
                    "pnv-phb,chip-id=0,index=0,id=phb0",
                    "-device",
                    "pnv-phb-root-port,bus=phb0,id=rp0",
                    "-device",
                    "nvme,serial=a,bus=rp0,max_ioqpairs=8,msix_qsize=9"),
                Qemus.PATIENCE));
    try {
      return new PowerNv(qemu, chip);
    } catch (RuntimeException | Error failed) {
      qemu.close();
      throw failed;
    }
  }

  private RegisterBus window(long start, long bytes) {
    return new QtestWindow(qtest, AddressRange.ofSize(start, bytes));
  }

  private void scom(long register, long value) {
    qtest.write(chip.scom(register), value, Long.BYTES);
  }

  private void firmware() {
    long[] stack = {
      WINDOW64 << 8, -GIB256 << 8, WINDOW32 << 8, -GIB2 << 8, REGISTERS << 8, PAGES << 8, 0xfL << 60
    };
    for (int i = 0; i < stack.length; i++) {
      scom(chip.stack + i, stack[i]);
    }
    if (chip == Chip.POWER9) {
      scom(chip.controller + 0x20, 3L << 57);
      scom(chip.controller + 0x10, VALID_64K | chip.window.start());
      scom(chip.controller + 0x12, VALID_64K | TIMA);
    } else {
      scom(chip.controller + 0x8, VALID_64K | chip.window.start());
      scom(chip.controller + 0x9, VALID_64K | TIMA);
    }
    outbound();
    port(0x18, 0x00ff_0100);
    port(0x20, 0xfff0_8000);
    port(0x4, 6);
    config(0x10, (int) PCI32);
    config(0x14, 0);
    config(0x4, 6);
  }

  private void firmware8() {
    scom(chip.stack + 0x40, WINDOW32_8 << 14);
    scom(chip.stack + 0x43, -GIB2 << 14);
    scom(chip.stack + 0x42, REGISTERS8 << 14);
    scom(chip.stack + 0x1a, (long) FIRST8 << 45);
    scom(chip.stack + 0x1b, (0x7_ffffL & ~0x7ffL) << 45);
    scom(chip.stack + 0x45, 0x1fL << 59);
    RegisterBus r = window(REGISTERS8, Phb3Registers.BYTES);
    r.write64(0x190, WINDOW32_8);
    r.write64(0x198, -GIB2);
    r.write64(0x1a0, PCI32);
    r.write64(Phb3Registers.CONFIG.offset(), Phb3Registers.M32_EN.mask());
    r.write64(Phb3Registers.CONTROL.offset(), Phb3Registers.IVE_128_BYTES.mask());
    config(0, 0x18, 0x00ff_0100);
    config(0, 0x20, 0xfff0_8000);
    config(0, 0x4, 6);
    config(0x10, (int) PCI32);
    config(0x14, 0);
    config(0x4, 6);
  }

  /// Bus addresses from 2 GiB on are the second window.
  private void outbound() {
    RegisterBus r = window(REGISTERS, Phb4Registers.BYTES);
    r.write64(0x1a0, PCI32);
    r.write64(
        Phb4Registers.IODA_ADDR.offset(),
        Phb4Registers.IODA_AUTOINC.place(1) | Phb4Registers.IODA_TSEL.place(MBT));
    r.write64(Phb4Registers.IODA_DATA0.offset(), VALID_64K | WINDOW32);
    r.write64(Phb4Registers.IODA_DATA0.offset(), VALID | (-GIB2 & (1L << 56) - 1));
  }

  /// The root port's own configuration space.
  private void port(int offset, int value) {
    qtest.write(
        REGISTERS + 0x1000 + offset,
        Integer.toUnsignedLong(Integer.reverseBytes(value)),
        Integer.BYTES);
  }

  private void address(int rid, int offset) {
    qtest.write(chip.bridge() + 0x140, VALID | (long) rid << 44 | (long) offset << 32, Long.BYTES);
  }

  /// The NVMe controller's configuration space.
  int config(int offset) {
    address(RID, offset);
    return Integer.reverseBytes((int) qtest.read(chip.bridge() + 0x130, Integer.BYTES));
  }

  void config(int offset, int value) {
    config(RID, offset, value);
  }

  private void config(int rid, int offset, int value) {
    address(rid, offset);
    qtest.write(
        chip.bridge() + 0x130, Integer.toUnsignedLong(Integer.reverseBytes(value)), Integer.BYTES);
  }

  /// {@return the NVMe controller's registers: little-endian, behind a big-endian bus}
  RegisterBus bar0() {
    return new Swapped(window(chip.window32(), 0x1_0000));
  }

  /// {@return the bridge's registers}
  RegisterBus registers() {
    return window(chip.bridge(), Phb4Registers.BYTES);
  }

  PhysicalMemory memory() {
    return qemu.ram();
  }

  record Swapped(RegisterBus bus) implements RegisterBus {
    private static long swap(long value, int bytes) {
      return Long.reverseBytes(value) >>> Long.SIZE - bytes * Byte.SIZE;
    }

    @Override
    public long read(long offset, int bytes) {
      return swap(bus.read(offset, bytes), bytes);
    }

    @Override
    public void write(long offset, long value, int bytes) {
      bus.write(offset, swap(value, bytes), bytes);
    }
  }

  /// Memory that is given out once.
  static final class Pool implements Frames {
    private final PhysicalMemory memory;
    private long next;
    private long used;

    Pool(PhysicalMemory memory, long start) {
      this.memory = memory;
      this.next = start;
    }

    @Override
    public Pa allocate(long bytes, long alignment) {
      long at = next + alignment - 1 & -alignment;
      if (at + bytes > 0x3800_0000L) {
        throw new OutOfFramesException(bytes, 0);
      }
      next = at + bytes;
      used += bytes;
      memory.fill(at, bytes, (byte) 0);
      return new Pa(at);
    }

    @Override
    public void free(Pa start, long bytes) {
      used -= bytes;
    }

    @Override
    public long bytesInUse() {
      return used;
    }
  }

  @Override
  public void close() {
    qemu.close();
  }
}
