package dev.doorbell.diff;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.qemu.QemuBinary;
import dev.doorbell.qemu.QemuMissing;
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
  @CsvSource({"SMMUV3, 10000", "ITS, 10000", "GICV2M, 10000"})
  @DisplayName("random scenarios show no difference but those of docs/qemu-differences.md")
  void same(Hardware hardware, int count) {
    try (Differential d = start(hardware)) {
      Differential.Report report = d.run(1, Integer.getInteger(COUNT, count), STEPS, seed -> {});
      assertEquals(Optional.empty(), report.finding());
    }
  }

  private static Differential start(Hardware hardware) {
    try {
      return Differential.start(hardware, QemuBinary.arm());
    } catch (QemuMissing e) {
      return Assumptions.abort("%s; %s".formatted(e.getMessage(), e.advice()));
    } catch (NotCompared e) {
      return Assumptions.abort(e.getMessage());
    }
  }
}
