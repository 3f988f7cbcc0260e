package dev.doorbell.diff;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.hw.pcie.EduLayout;
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

/// A `q35` machine of QEMU's with an IOMMU, and `edu`s whose MSI capability writes 16 bits, zero-extended to 32, to any address. Interrupts are
/// seen where they reach the local APICs, in QEMU's trace.
final class EduPc implements AutoCloseable {
  static final int RAM_BYTES = 64 << 20;
  static final List<Integer> REQUESTERS = List.of(0x10, 0x18, 0x20);
  private static final long BARS = 0xc000_0000L;
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final Pattern DELIVERY =
      Pattern.compile(
          "apic_deliver_irq dest (\\d+) dest_mode (\\d+) delivery_mode (\\d+) vector (\\d+)");

  private final QemuProcess qemu;
  private final Path log;
  private final RandomAccessFile trace;

  private EduPc(QemuProcess qemu, Path log) throws IOException {
    this.qemu = qemu;
    this.log = log;
    trace = new RandomAccessFile(log.toFile(), "r");
    placeDevices();
  }

  /// @param iommu what QEMU's option `-device` is given for the IOMMU
  static EduPc start(QemuBinary binary, String iommu) throws IOException {
    Path log = Files.createTempFile("doorbell-edu", ".log");
    List<String> arguments =
        new ArrayList<>(
            List.of("-device", iommu, "-trace", "apic_deliver_irq", "-D", log.toString()));
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
      EduPc pc = new EduPc(qemu, log);
      done = true;
      return pc;
    } finally {
      if (!done) {
        qemu.close();
      }
    }
  }

  static String interrupt(long destination, int logical, int mode, int vector) {
    return "vector %d mode %d to %s %d"
        .formatted(vector, mode, logical == 0 ? "physical" : "logical", destination);
  }

  /// {@return what a message asks for that passes unremapped}
  static String passing(long address, int data) {
    return interrupt(
        X86MessageLayout.DESTINATION.get(address),
        (int) X86MessageLayout.MODE.get(address),
        X86MessageLayout.DELIVERY_MODE.getInt(data),
        X86MessageLayout.VECTOR.getInt(data));
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

  long read(long address, int bytes) {
    return qemu.qtest().read(address, bytes);
  }

  void write(long address, long value, int bytes) {
    qemu.qtest().write(address, value, bytes);
  }

  /// Lets a device write to memory.
  void deviceWrites(int requester, long address, int data) {
    ConfigSpace c = config(requester);
    int at = msi(c);
    c.write(at + (int) MsiLayout.MESSAGE_ADDRESS_64.offset(), (int) address, Integer.BYTES);
    c.write(at + (int) MsiLayout.UPPER.offset(), (int) (address >>> 32), Integer.BYTES);
    c.write(at + (int) MsiLayout.DATA_64.offset(), data, Short.BYTES);
    write(bar(requester) + EduLayout.RAISE.offset(), 1, Integer.BYTES);
  }

  /// {@return interrupts that reached QEMU's local APICs since the last look}
  List<String> interrupts() {
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
