package dev.doorbell.qemu;

import dev.doorbell.address.AddressRange;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/// The QEMU that tests use. Without one they skip, and say which package is missing.
public final class Qemus {
  static final AddressRange RAM = AddressRange.ofSize(0x4000_0000L, 256L << 20);
  static final Duration PATIENCE = Duration.ofSeconds(60);

  private Qemus() {}

  public static QemuBinary orSkip() {
    try {
      return QemuBinary.arm();
    } catch (QemuMissing e) {
      return Assumptions.abort("%s; %s".formatted(e.getMessage(), e.advice()));
    }
  }

  /// {@return QEMU for PCs; skips aloud without one}
  public static QemuBinary x86OrSkip() {
    try {
      return QemuBinary.x86();
    } catch (QemuMissing e) {
      return Assumptions.abort("%s; %s".formatted(e.getMessage(), e.advice()));
    }
  }

  /// {@return QEMU 10 or later: what DOORBELL_QEMU_10 names, else what build/fetch-qemu10.sh fetched; skips aloud without either}
  public static QemuBinary tenOrSkip() {
    String named = System.getenv("DOORBELL_QEMU_10");
    String cache = System.getenv("XDG_CACHE_HOME");
    Path fetched =
        (cache == null ? Path.of(System.getProperty("user.home"), ".cache") : Path.of(cache))
            .resolve("doorbell/qemu-10/usr/bin/qemu-system-aarch64");
    if (named != null && !named.isBlank()) {
      return new QemuBinary(Path.of(named));
    }
    return Files.isExecutable(fetched)
        ? new QemuBinary(fetched)
        : Assumptions.abort(
            "no QEMU 10: run build/fetch-qemu10.sh, or name one in DOORBELL_QEMU_10");
  }

  /// {@return QEMU for RISC-V machines, 10 or later as others have no IOMMU there: what build/fetch-qemu10.sh fetched, else the one to be used; skips aloud without}
  public static QemuBinary riscvOrSkip() {
    String cache = System.getenv("XDG_CACHE_HOME");
    Path fetched =
        (cache == null ? Path.of(System.getProperty("user.home"), ".cache") : Path.of(cache))
            .resolve("doorbell/qemu-10/usr/bin/qemu-system-riscv64");
    try {
      QemuBinary binary =
          Files.isExecutable(fetched)
              ? new QemuBinary(fetched)
              : QemuBinary.all("qemu-system-riscv64").getFirst();
      int major = binary.version().map(QemuVersion::major).orElse(0);
      return major >= Board.RISCV_IMSIC.least().major()
          ? binary
          : Assumptions.abort("%s is QEMU %d, which has no RISC-V IOMMU".formatted(binary, major));
    } catch (QemuMissing e) {
      return Assumptions.abort(
          "%s; %s, or run build/fetch-qemu10.sh".formatted(e.getMessage(), e.advice()));
    }
  }

  static QemuProcess virt(String... devices) {
    return start(orSkip(), PATIENCE, devices);
  }

  static QemuProcess start(QemuBinary binary, Duration patience, String... devices) {
    return QemuProcess.start(
        new QemuProcess.Settings(
            binary, "virt,gic-version=3,its=on,iommu=smmuv3", RAM, arguments(devices), patience));
  }

  private static List<String> arguments(String... devices) {
    List<String> out =
        new java.util.ArrayList<>(List.of("-cpu", "cortex-a57,start-powered-off=on"));
    for (String device : devices) {
      out.addAll(List.of("-device", device));
    }
    return out;
  }
}
