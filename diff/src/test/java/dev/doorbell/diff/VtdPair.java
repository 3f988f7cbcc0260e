package dev.doorbell.diff;

import static dev.doorbell.hw.vtd.VtdRegisters.*;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bits.Register;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.Translator;
import dev.doorbell.hw.pcie.EduLayout;
import dev.doorbell.hw.vtd.VtdFeatures;
import dev.doorbell.hw.vtd.VtdModel;
import dev.doorbell.irq.X86MessageLayout;
import dev.doorbell.pci.CapabilityLayout;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.MsiLayout;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.qemu.ConfigPorts;
import dev.doorbell.qemu.QemuBinary;
import dev.doorbell.qemu.QemuProcess;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A remapping unit twice: QEMU's `intel-iommu` of a `q35` machine, and the model, which reads the same tables in the same memory. Devices are
/// `edu`s whose MSI capability writes 16 bits, zero-extended to 32, to any address. Interrupts are seen where they reach the local APICs: at the
/// model's port, and in QEMU's trace.
final class VtdPair implements AutoCloseable {
  static final int RAM_BYTES = 64 << 20;
  static final List<Integer> REQUESTERS = List.of(0x08, 0x10, 0x18);
  private static final long UNIT = 0xfed9_0000L;
  private static final long BARS = 0xc000_0000L;
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final int INPUT_BITS = 39;
  private static final Pattern DELIVERY =
      Pattern.compile(
          "apic_deliver_irq dest (\\d+) dest_mode (\\d+) delivery_mode (\\d+) vector (\\d+)");

  final List<String> modelInterrupts = new ArrayList<>();
  private final QemuProcess qemu;
  private final Path log;
  private final RandomAccessFile trace;
  private final VtdModel model;

  private VtdPair(QemuProcess qemu, Path log) throws IOException {
    this.qemu = qemu;
    this.log = log;
    trace = new RandomAccessFile(log.toFile(), "r");
    model =
        new VtdModel(
            VtdFeatures.of(INPUT_BITS, true),
            qemu.ram(),
            (destination, command, _) -> {
              modelInterrupts.add(
                  interrupt(destination, command >>> 11 & 1, command >>> 8 & 7, command & 0xff));
              return true;
            });
    placeDevices();
  }

  static VtdPair start(QemuBinary binary) throws IOException {
    Path log = Files.createTempFile("doorbell-vtd", ".log");
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "-device",
                "intel-iommu,intremap=on",
                "-trace",
                "apic_deliver_irq",
                "-D",
                log.toString()));
    for (int requester : REQUESTERS) {
      arguments.addAll(List.of("-device", "edu,addr=%x".formatted(requester >>> 3)));
    }
    QemuProcess qemu =
        QemuProcess.start(
            new QemuProcess.Settings(
                binary,
                "q35,kernel-irqchip=split",
                AddressRange.ofSize(0, RAM_BYTES),
                arguments,
                PATIENCE));
    boolean done = false;
    try {
      VtdPair pair = new VtdPair(qemu, log);
      done = true;
      return pair;
    } finally {
      if (!done) {
        qemu.close();
      }
    }
  }

  private static String interrupt(long destination, int logical, int mode, int vector) {
    return "vector %d mode %d to %s %d"
        .formatted(vector, mode, logical == 0 ? "physical" : "logical", destination);
  }

  private ConfigSpace config(int requester) {
    return new ConfigPorts(qemu.qtest()).config(Sbdf.of(0, requester));
  }

  private static long bar(int requester) {
    return BARS + (long) requester * EduLayout.MAP.bytes();
  }

  private void placeDevices() {
    for (int requester : REQUESTERS) {
      ConfigSpace c = config(requester);
      c.write((int) ConfigHeaderLayout.BAR.offset(), (int) bar(requester), Integer.BYTES);
      long command =
          ConfigHeaderLayout.MEMORY_SPACE_ENABLE.place(1)
              | ConfigHeaderLayout.BUS_MASTER_ENABLE.place(1);
      c.write((int) ConfigHeaderLayout.COMMAND.offset(), (int) command, Short.BYTES);
      int control = msi(c) + (int) MsiLayout.CONTROL_64.offset();
      c.write(control, (int) MsiLayout.ENABLE.place(1), Short.BYTES);
    }
  }

  private static int msi(ConfigSpace c) {
    int at = c.read((int) ConfigHeaderLayout.CAP_POINTER.offset(), 1);
    while (CapabilityLayout.ID.get(c.read(at, Short.BYTES)) != CapabilityLayout.MSI) {
      at = c.read(at + 1, 1);
    }
    return at;
  }

  PhysicalMemory memory() {
    return qemu.ram();
  }

  /// Writes a register of both.
  void set(Register r, long value) {
    qemu.qtest().write(UNIT + r.offset(), value, r.bytes());
    if (model.write(r.offset(), value, r.bytes(), -1) != BusOutcome.OK) {
      throw new IllegalStateException("the model has no " + r.name());
    }
  }

  /// Writes the queue's tail, the model's after QEMU's status writes were taken out of memory.
  ///
  /// {@return what QEMU and the model wrote to a status word}
  int[] tail(long offset, long status) {
    qemu.ram().write32(status, 0);
    qemu.qtest().write(UNIT + IQT_REG.offset(), offset, Long.BYTES);
    int other = qemu.ram().read32(status);
    qemu.ram().write32(status, 0);
    model.write(IQT_REG.offset(), offset, Long.BYTES, -1);
    return new int[] {other, qemu.ram().read32(status)};
  }

  long[] both(Register r) {
    return new long[] {
      qemu.qtest().read(UNIT + r.offset(), r.bytes()), model.read(r.offset(), r.bytes()).value()
    };
  }

  /// Lets a device write to memory, on QEMU's machine.
  void write(int requester, long address, int data) {
    ConfigSpace c = config(requester);
    int at = msi(c);
    c.write(at + (int) MsiLayout.MESSAGE_ADDRESS_64.offset(), (int) address, Integer.BYTES);
    c.write(at + (int) MsiLayout.UPPER.offset(), (int) (address >>> 32), Integer.BYTES);
    c.write(at + (int) MsiLayout.DATA_64.offset(), data, Short.BYTES);
    qemu.qtest().write(bar(requester) + EduLayout.RAISE.offset(), 1, Integer.BYTES);
  }

  /// {@return where the model would let it write, or {@link Translator#FAULT}}
  long translate(int requester, long address) {
    return model.translate(requester, -1, address, Translator.WRITE);
  }

  /// The model's part of a message.
  void message(int requester, long address, int data) {
    if (model.message(requester, address, data, Integer.BYTES) == BusOutcome.OK
        && modelInterrupts.isEmpty()) {
      throw new IllegalStateException("a message was taken and raised nothing");
    }
  }

  /// {@return what a message asks for that passes unremapped}
  static String passing(long address, int data) {
    return interrupt(
        X86MessageLayout.DESTINATION.get(address),
        (int) X86MessageLayout.MODE.get(address),
        X86MessageLayout.DELIVERY_MODE.getInt(data),
        X86MessageLayout.VECTOR.getInt(data));
  }

  /// {@return interrupts that reached QEMU's local APICs since the last look}
  List<String> otherInterrupts() {
    try {
      byte[] fresh = new byte[(int) (trace.length() - trace.getFilePointer())];
      trace.readFully(fresh);
      Matcher m = DELIVERY.matcher(new String(fresh, StandardCharsets.UTF_8));
      List<String> out = new ArrayList<>();
      while (m.find()) {
        out.add(
            interrupt(
                Long.parseLong(m.group(1)),
                Integer.parseInt(m.group(2)),
                Integer.parseInt(m.group(3)),
                Integer.parseInt(m.group(4))));
      }
      return out;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// {@return what QEMU recorded, as `requester, reason, address, write or read`; empty for nothing. Cleared behind}
  String otherFault() {
    return fault(
        (at, bytes) -> qemu.qtest().read(UNIT + at, bytes),
        (at, v) -> qemu.qtest().write(UNIT + at, v, Long.BYTES));
  }

  String modelFault() {
    return fault(
        (at, bytes) -> model.read(at, bytes).value(),
        (at, v) -> model.write(at, v, Long.BYTES, -1));
  }

  private interface Reading {
    long read(long offset, int bytes);
  }

  private interface Writing {
    void write(long offset, long value);
  }

  private static String fault(Reading in, Writing out) {
    long fsts = in.read(FSTS_REG.offset(), FSTS_REG.bytes());
    long at = FRCD_REG.offset() + FRI.get(fsts) * OFFSET_UNIT;
    long high = in.read(at + Long.BYTES, Long.BYTES);
    if (!F.isSet(high)) {
      return "";
    }
    long low = in.read(at, Long.BYTES);
    out.write(at + Long.BYTES, F.mask());
    return "0x%x reason %xh at 0x%x, %s"
        .formatted(
            FAULT_SID.get(high), FR.get(high), FI.get(low), T1.isSet(high) ? "read" : "write");
  }

  @Override
  public void close() {
    qemu.close();
    try {
      trace.close();
      Files.delete(log);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
