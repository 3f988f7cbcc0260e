package dev.doorbell.diff;

import dev.doorbell.address.AddressRange;
import dev.doorbell.hw.pcie.EduLayout;
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

/// A `q35` machine of QEMU's with an IOMMU. Interrupts are seen where they reach the local APICs, in QEMU's trace.
final class PcRig extends QtestRig {
  private static final long ECAM = 0xb000_0000L;

  /// Configuration space of the host bridge by ports, and its register PCIEXBAR.
  private static final int ADDRESS_PORT = 0xcf8;

  private static final int DATA_PORT = 0xcfc;
  private static final long PCIEXBAR_LOW = 0x8000_0060L;
  private static final long PCIEXBAR_HIGH = 0x8000_0064L;

  private static final long BARS = 0xc000_0000L;
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  /// What is delivered, whose destination is cut to 8 bits, and before it what the IOMMU made of a message, with all of them.
  private static final Pattern DELIVERY =
      Pattern.compile(
          "-> \\(addr 0x([0-9a-f]{1,16}),"
              + "|apic_deliver_irq dest (\\d+) dest_mode (\\d+) delivery_mode (\\d+) vector (\\d+)");

  private static final int HEX = 16;

  private final Path log;
  private final RandomAccessFile trace;

  private PcRig(QemuProcess qemu, Path log) throws IOException {
    super(qemu, ECAM);
    this.log = log;
    trace = new RandomAccessFile(log.toFile(), "r");
    placeDevices();
  }

  /// Starts QEMU.
  ///
  /// @param iommu what QEMU's option `-device` is given for the IOMMU
  /// @throws dev.doorbell.qemu.QemuException when it cannot be started
  static PcRig start(QemuBinary binary, String iommu) {
    try {
      Path log = Files.createTempFile("doorbell-diff", ".log");
      QemuProcess qemu = null;
      boolean done = false;
      try {
        qemu =
            QemuProcess.start(
                new QemuProcess.Settings(
                    binary,
                    "q35,kernel-irqchip=split",
                    AddressRange.ofSize(0, Pc.RAM_BYTES),
                    arguments(log, iommu),
                    PATIENCE));
        PcRig rig = new PcRig(qemu, log);
        done = true;
        return rig;
      } finally {
        if (!done) {
          if (qemu != null) {
            qemu.close();
          }
          Files.deleteIfExists(log);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<String> arguments(Path log, String iommu) {
    List<String> out =
        new ArrayList<>(
            List.of(
                "-device",
                iommu,
                "-trace",
                "apic_deliver_irq",
                "-trace",
                "vtd_ir_remap_msi",
                "-trace",
                "amdvi_ir_remap_msi",
                "-D",
                log.toString()));
    for (int requester : Pc.REQUESTERS) {
      out.addAll(List.of("-device", "edu,addr=%x".formatted(requester >>> 3)));
    }
    return out;
  }

  private void placeDevices() {
    port(PCIEXBAR_HIGH, 0);
    port(PCIEXBAR_LOW, ECAM | 1);
    settle();
    for (int requester : Pc.REQUESTERS) {
      place(requester, BARS + (long) requester * EduLayout.MAP.bytes());
    }
    settle();
  }

  private void port(long register, long value) {
    batch().out(ADDRESS_PORT, register, Integer.BYTES);
    batch().out(DATA_PORT, value, Integer.BYTES);
  }

  @Override
  public void reset() {
    settle();
    process().reset();
    placeDevices();
    var unused = interrupts();
  }

  @Override
  public long fetch(int requester, long address) {
    throw new IllegalArgumentException("no device reads here");
  }

  @Override
  public List<String> interrupts() {
    settle();
    try {
      long fresh = trace.length() - trace.getFilePointer();
      if (fresh == 0) {
        return List.of();
      }
      byte[] told = new byte[(int) fresh];
      trace.readFully(told);
      Matcher m = DELIVERY.matcher(new String(told, StandardCharsets.UTF_8));
      List<String> out = new ArrayList<>();
      long upper = 0;
      while (m.find()) {
        if (m.group(1) != null) {
          upper = Long.parseUnsignedLong(m.group(1), HEX) >>> Integer.SIZE;
          continue;
        }
        out.add(
            Pc.interrupt(
                upper | Long.parseLong(m.group(2)),
                Integer.parseInt(m.group(3)),
                Integer.parseInt(m.group(4)),
                Integer.parseInt(m.group(5))));
        upper = 0;
      }
      return out;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    super.close();
    try {
      trace.close();
      Files.delete(log);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
