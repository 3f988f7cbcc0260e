package dev.doorbell.diff;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.qemu.QemuBinary;
import dev.doorbell.qemu.QemuMissing;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("issue 3, differential test: Doorbell's models and QEMU's devices")
class QemuDifferentialTest {
  private static final int STEPS = 25;

  /// Scenarios a piece of hardware instead of those below; `./verify -Ddoorbell.diff.count=1000`.
  private static final String COUNT = "doorbell.diff.count";

  @ParameterizedTest(name = "{0}")
  @CsvSource({"SMMUV3, 10000", "SMMUV3_FULL, 3000", "ITS, 10000", "GICV2M, 10000"})
  @DisplayName("random scenarios show no difference but those of docs/qemu-differences.md")
  void same(Hardware hardware, int count) {
    try (Differential d = Differential.start(hardware, usual())) {
      Differential.Report report = d.run(1, Integer.getInteger(COUNT, count), STEPS, seed -> {});
      assertEquals(Optional.empty(), report.finding());
    }
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource({"SMMUV3, 1000", "SMMUV3_FULL, 500", "ITS, 200", "GICV2M, 200"})
  @DisplayName("nor do they on QEMU 10, whose SMMU has two stages")
  void sameOnTen(Hardware hardware, int count) {
    try (Differential d = Differential.start(hardware, ten())) {
      Differential.Report report = d.run(1, Integer.getInteger(COUNT, count), STEPS, seed -> {});
      assertEquals(Optional.empty(), report.finding());
    }
  }

  /// What DOORBELL_QEMU_10 names, else what build/fetch-qemu10.sh fetched.
  static QemuBinary ten() {
    String named = System.getenv("DOORBELL_QEMU_10");
    String cache = System.getenv("XDG_CACHE_HOME");
    Path fetched =
        (cache == null ? Path.of(System.getProperty("user.home"), ".cache") : Path.of(cache))
            .resolve("doorbell/qemu-10/usr/bin/qemu-system-aarch64");
    Path program = named == null || named.isBlank() ? fetched : Path.of(named);
    return Files.isExecutable(program)
        ? new QemuBinary(program)
        : Assumptions.abort(
            "no QEMU 10: run build/fetch-qemu10.sh, or name one in DOORBELL_QEMU_10");
  }

  static QemuBinary usual() {
    try {
      return QemuBinary.arm();
    } catch (QemuMissing e) {
      return Assumptions.abort("%s; %s".formatted(e.getMessage(), e.advice()));
    }
  }
}
