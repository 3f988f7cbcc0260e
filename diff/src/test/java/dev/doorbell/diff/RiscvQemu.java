package dev.doorbell.diff;

import dev.doorbell.qemu.QemuBinary;
import dev.doorbell.qemu.QemuMissing;
import dev.doorbell.qemu.QemuVersion;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/// The QEMU for RISC-V machines that tests use. Without one that has an IOMMU they skip, and say so.
final class RiscvQemu {
  private static final int LEAST = 10;

  private RiscvQemu() {}

  static QemuBinary orSkip() {
    QemuBinary binary = find();
    int major = binary.version().map(QemuVersion::major).orElse(0);
    return major >= LEAST
        ? binary
        : Assumptions.abort("%s is QEMU %d, which has no RISC-V IOMMU".formatted(binary, major));
  }

  private static QemuBinary find() {
    String cache = System.getenv("XDG_CACHE_HOME");
    Path fetched =
        (cache == null ? Path.of(System.getProperty("user.home"), ".cache") : Path.of(cache))
            .resolve("doorbell/qemu-10/usr/bin/qemu-system-riscv64");
    if (Files.isExecutable(fetched)) {
      return new QemuBinary(fetched);
    }
    try {
      return QemuBinary.all("qemu-system-riscv64").getFirst();
    } catch (QemuMissing e) {
      return Assumptions.abort(
          "%s; %s, or run build/fetch-qemu10.sh".formatted(e.getMessage(), e.advice()));
    }
  }
}
