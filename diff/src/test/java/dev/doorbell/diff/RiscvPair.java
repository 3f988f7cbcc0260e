package dev.doorbell.diff;

import static dev.doorbell.hw.riscviommu.RiscvIommuRegisters.*;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bits.Register;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.bus.Translator;
import dev.doorbell.hw.pcie.EduLayout;
import dev.doorbell.hw.riscviommu.CommandLayout;
import dev.doorbell.hw.riscviommu.DirectoryLayout;
import dev.doorbell.hw.riscviommu.FaultLayout;
import dev.doorbell.hw.riscviommu.RiscvIommuFeatures;
import dev.doorbell.hw.riscviommu.RiscvIommuModel;
import dev.doorbell.pci.CapabilityLayout;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.Ecam;
import dev.doorbell.pci.MsiLayout;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.qemu.QemuBinary;
import dev.doorbell.qemu.QemuProcess;
import java.time.Duration;
import java.util.List;

/// An IOMMU twice: QEMU's `riscv-iommu` of a `virt` machine, and the model, which reads the same tables and the same command queue in the same memory.
/// Translations are asked for by the debug interface of both; messages are those of an `edu`, whose MSI capability writes 16 bits, zero-extended to
/// 32, to any address.
final class RiscvPair implements AutoCloseable {
  static final long RAM = 0x8000_0000L;
  static final int RAM_BYTES = 64 << 20;

  /// The device that can send messages.
  static final int EDU = 0x08;

  private static final long UNIT = 0x0301_0000L;
  private static final long ECAM = 0x3000_0000L;
  private static final long BAR = 0x4000_0000L;
  private static final long COMMANDS = RAM + 0x1000;
  private static final long OTHER_FAULTS = RAM + 0x2000;
  private static final long MODEL_FAULTS = RAM + 0x3000;
  private static final int COMMAND_SLOTS = 256;
  private static final int FAULT_SLOTS = 128;
  private static final int CACHED = 1024;
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final QemuProcess qemu;
  private final RiscvIommuModel model;
  private final ConfigSpace edu;
  private final int msi;
  private int tail;

  private RiscvPair(QemuProcess qemu, long without) {
    this.qemu = qemu;
    long offered = qemu.qtest().read(UNIT, Long.BYTES);
    // What the model has none of stays out of the scenarios.
    long absent = without | ATS.mask() | T2GPA.mask() | HPM.mask() | SV32.mask() | SV32X4.mask();
    model =
        new RiscvIommuModel(
            new RiscvIommuFeatures(offered & ~absent, CACHED), qemu.ram(), new Memory(qemu.ram()));
    edu = new Ecam(new Window(ECAM), 0, 0, 0).config(Sbdf.of(0, EDU));
    msi = placeDevice();
    queues();
  }

  static RiscvPair start(QemuBinary binary) {
    return start(binary, 0);
  }

  /// @param without what the model lacks besides, of `capabilities`: a mistake that is to be noticed
  static RiscvPair start(QemuBinary binary, long without) {
    QemuProcess qemu =
        QemuProcess.start(
            new QemuProcess.Settings(
                binary,
                "virt,aia=aplic-imsic,iommu-sys=on",
                AddressRange.ofSize(RAM, RAM_BYTES),
                List.of("-bios", "none", "-device", "edu,addr=1"),
                PATIENCE));
    boolean done = false;
    try {
      RiscvPair pair = new RiscvPair(qemu, without);
      done = true;
      return pair;
    } finally {
      if (!done) {
        qemu.close();
      }
    }
  }

  /// Registers of the machine from an address on.
  private final class Window implements RegisterBus {
    private final long start;

    Window(long start) {
      this.start = start;
    }

    @Override
    public long read(long offset, int bytes) {
      return qemu.qtest().read(start + offset, bytes);
    }

    @Override
    public void write(long offset, long value, int bytes) {
      qemu.qtest().write(start + offset, value, bytes);
    }
  }

  /// The model's bus has nothing but memory.
  private record Memory(PhysicalMemory ram) implements SystemBus {
    @Override
    public BusOutcome write(long pa, long value, int bytes, int requester) {
      try {
        ram.write(pa, value, bytes);
        return BusOutcome.OK;
      } catch (BusErrorException e) {
        return BusOutcome.ERROR;
      }
    }

    @Override
    public BusRead read(long pa, int bytes) {
      return BusRead.error(bytes);
    }
  }

  private int placeDevice() {
    edu.write((int) ConfigHeaderLayout.BAR.offset(), (int) BAR, Integer.BYTES);
    long command =
        ConfigHeaderLayout.MEMORY_SPACE_ENABLE.place(1)
            | ConfigHeaderLayout.BUS_MASTER_ENABLE.place(1);
    edu.write((int) ConfigHeaderLayout.COMMAND.offset(), (int) command, Short.BYTES);
    int at = edu.read((int) ConfigHeaderLayout.CAP_POINTER.offset(), 1);
    while (CapabilityLayout.ID.get(edu.read(at, Short.BYTES)) != CapabilityLayout.MSI) {
      at = edu.read(at + 1, 1);
    }
    edu.write(at + (int) MsiLayout.CONTROL_64.offset(), (int) MsiLayout.ENABLE.place(1), 2);
    return at;
  }

  private void queues() {
    set(CQB, base(COMMANDS, COMMAND_SLOTS));
    set(CQCSR, CQEN.mask());
    qemu.qtest().write(UNIT + FQB.offset(), base(OTHER_FAULTS, FAULT_SLOTS), Long.BYTES);
    model.write(FQB.offset(), base(MODEL_FAULTS, FAULT_SLOTS), Long.BYTES, SystemBus.CPU);
    set(FQCSR, FQEN.mask());
  }

  private static long base(long table, int slots) {
    return LOG2SZ.place(Integer.numberOfTrailingZeros(slots) - 1)
        | BASE_PPN.place(DirectoryLayout.ppn(table));
  }

  PhysicalMemory memory() {
    return qemu.ram();
  }

  /// Writes a register of both.
  void set(Register r, long value) {
    qemu.qtest().write(UNIT + r.offset(), value, r.bytes());
    if (model.write(r.offset(), value, r.bytes(), SystemBus.CPU) != BusOutcome.OK) {
      throw new IllegalStateException("the model has no " + r.name());
    }
  }

  /// {@return a register of QEMU's and of the model}
  long[] both(Register r) {
    return new long[] {
      qemu.qtest().read(UNIT + r.offset(), r.bytes()), model.read(r.offset(), r.bytes()).value()
    };
  }

  /// Has both execute a command, QEMU first.
  ///
  /// {@return for each, what was written to a word of memory that was 0 before}
  int[] command(long first, long second, long word) {
    memory().write64(COMMANDS + (long) tail * CommandLayout.BYTES, first);
    memory().write64(COMMANDS + (long) tail * CommandLayout.BYTES + Long.BYTES, second);
    tail = (tail + 1) % COMMAND_SLOTS;
    memory().write32(word, 0);
    qemu.qtest().write(UNIT + CQT.offset(), tail, Integer.BYTES);
    int other = memory().read32(word);
    memory().write32(word, 0);
    model.write(CQT.offset(), tail, Integer.BYTES, SystemBus.CPU);
    return new int[] {other, memory().read32(word)};
  }

  /// Passes over commands that were refused.
  void resume() {
    set(CQCSR, 0);
    // Turning the queue on sets cqh alone; QEMU's sets cqt, too (`riscv-cqt`).
    set(CQT, 0);
    set(CQCSR, CQEN.mask());
    tail = 0;
  }

  /// A translation, as the debug interface is asked for it.
  ///
  /// @param process 0 for none: QEMU knows no other sign of it
  /// @param reads whether it asks for reads only
  record Ask(int device, int process, long iova, boolean reads) {
    long control() {
      return TR_GO.mask()
          | TR_DID.place(device)
          | TR_PID.place(process)
          | TR_PV.place(process == 0 ? 0 : 1)
          | TR_NW.place(reads ? 1 : 0);
    }

    int access() {
      return reads ? Translator.READ : Translator.READ | Translator.WRITE;
    }

    @Override
    public String toString() {
      return "%s of device 0x%x, process %d, at 0x%x"
          .formatted(reads ? "read" : "read and write", device, process, iova);
    }
  }

  /// {@return QEMU's `tr_response`}
  long otherTranslates(Ask ask) {
    qemu.qtest().write(UNIT + TR_REQ_IOVA.offset(), ask.iova() & TR_VPN.mask(), Long.BYTES);
    qemu.qtest().write(UNIT + TR_REQ_CTL.offset(), ask.control(), Long.BYTES);
    return qemu.qtest().read(UNIT + TR_RESPONSE.offset(), Long.BYTES);
  }

  /// {@return where the model lets an access through, or {@link Translator#FAULT} or {@link Translator#MESSAGE}}
  long modelTranslates(Ask ask) {
    return model.translate(
        ask.device(),
        ask.process() == 0 ? -1 : ask.process(),
        ask.iova() & TR_VPN.mask(),
        ask.access());
  }

  /// Lets QEMU's device write a message.
  void otherSends(long address, int data) {
    edu.write(msi + (int) MsiLayout.MESSAGE_ADDRESS_64.offset(), (int) address, Integer.BYTES);
    edu.write(msi + (int) MsiLayout.UPPER.offset(), (int) (address >>> 32), Integer.BYTES);
    edu.write(msi + (int) MsiLayout.DATA_64.offset(), data, Short.BYTES);
    qemu.qtest().write(BAR + EduLayout.RAISE.offset(), 1, Integer.BYTES);
    qemu.qtest().write(BAR + EduLayout.ACKNOWLEDGE.offset(), -1, Integer.BYTES);
  }

  /// Lets the model's device write a message.
  void modelSends(long address, int data) {
    long pa = model.translate(EDU, -1, address, Translator.WRITE);
    if (pa == Translator.MESSAGE) {
      model.message(EDU, address, data, Integer.BYTES);
    } else if (pa != Translator.FAULT) {
      new Memory(qemu.ram()).write(pa, data, Integer.BYTES, EDU);
    }
  }

  /// A fault record.
  record Fault(int cause, int device, int process, long iotval) {
    @Override
    public String toString() {
      return "cause %d (%s) of device 0x%x, process %d, iotval 0x%x"
          .formatted(cause, FaultLayout.name(cause), device, process, iotval);
    }
  }

  /// {@return what QEMU recorded since the last look; null for nothing}
  @org.jspecify.annotations.Nullable
  Fault otherFault() {
    return fault(new Window(UNIT), OTHER_FAULTS);
  }

  /// {@return what the model recorded since the last look; null for nothing}
  @org.jspecify.annotations.Nullable
  Fault modelFault() {
    return fault(
        new RegisterBus() {
          @Override
          public long read(long offset, int bytes) {
            return model.read(offset, bytes).value();
          }

          @Override
          public void write(long offset, long value, int bytes) {
            model.write(offset, value, bytes, SystemBus.CPU);
          }
        },
        MODEL_FAULTS);
  }

  private @org.jspecify.annotations.Nullable Fault fault(RegisterBus registers, long queue) {
    int end = (int) registers.read(FQT.offset(), Integer.BYTES);
    int head = (int) registers.read(FQH.offset(), Integer.BYTES);
    if (end == head) {
      return null;
    }
    long at = queue + (long) head * FaultLayout.BYTES;
    long first = memory().read64(at);
    registers.write(FQH.offset(), end, Integer.BYTES);
    return new Fault(
        FaultLayout.CAUSE.getInt(first),
        FaultLayout.DID.getInt(first),
        FaultLayout.PID.getInt(first),
        memory().read64(at + FaultLayout.IOTVAL_AT));
  }

  @Override
  public void close() {
    qemu.close();
  }
}
