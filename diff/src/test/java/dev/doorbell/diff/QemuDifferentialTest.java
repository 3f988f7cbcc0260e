package dev.doorbell.diff;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.qemu.QemuBinary;
import dev.doorbell.qemu.QemuMissing;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("issue 3, differential test: Doorbell's models and QEMU's devices")
class QemuDifferentialTest {
  private static final int STEPS = 25;

  /// Scenarios a piece of hardware instead of those below; `./verify -Ddoorbell.diff.count=1000`.
  private static final String COUNT = "doorbell.diff.count";

  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "SMMUV3, 10000",
    "SMMUV3_FULL, 3000",
    "ITS, 10000",
    "GICV2M, 10000",
    "VTD, 1000",
    "AMDVI, 1000"
  })
  @DisplayName("random scenarios show no difference but those of docs/qemu-differences.md")
  void same(Hardware hardware, int count) {
    try (Differential d = Differential.start(hardware, usual(hardware))) {
      Differential.Report report = d.run(1, Integer.getInteger(COUNT, count), STEPS, seed -> {});
      assertEquals(Optional.empty(), report.finding());
    }
  }

  @ParameterizedTest(name = "{0} {1}")
  @CsvSource({"VTD, 4147", "VTD, 7723"})
  @DisplayName(
      "nor where the other machine alone writes to a table, as it read a fresh entry and the model a stale one")
  void landingsAmongTables(Hardware hardware, long seed) {
    try (Differential d = Differential.start(hardware, usual(hardware))) {
      assertEquals(Optional.empty(), d.run(seed, 1, STEPS, _ -> {}).finding());
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

  @ParameterizedTest(name = "{0}")
  @CsvSource({"SMMUV3, 200", "SMMUV3_FULL, 100", "ITS, 100", "GICV2M, 100"})
  @DisplayName("nor on QEMU 11, whose SMMU takes all bits of S1ContextPtr")
  void sameOnEleven(Hardware hardware, int count, @TempDir Path folder) throws IOException {
    try (Differential d = Differential.start(hardware, eleven(folder))) {
      Differential.Report report = d.run(1, Integer.getInteger(COUNT, count), STEPS, seed -> {});
      assertEquals(Optional.empty(), report.finding());
    }
  }

  /// What DOORBELL_QEMU_10 names, else what build/fetch-qemu10.sh fetched.
  static QemuBinary ten() {
    String named = System.getenv("DOORBELL_QEMU_10");
    Path fetched = cache().resolve("qemu-10/usr/bin/qemu-system-aarch64");
    Path program = named == null || named.isBlank() ? fetched : Path.of(named);
    return Files.isExecutable(program)
        ? new QemuBinary(program)
        : Assumptions.abort(
            "no QEMU 10: run build/fetch-qemu10.sh, or name one in DOORBELL_QEMU_10");
  }

  /// What DOORBELL_QEMU_11 names, else the one of `lab/run`, which runs with its own C library.
  ///
  /// @param folder for a program that starts that one
  static QemuBinary eleven(Path folder) throws IOException {
    String named = System.getenv("DOORBELL_QEMU_11");
    Path lab = cache().resolve("lab/qemu/usr");
    Path program =
        named == null || named.isBlank() ? lab.resolve("bin/qemu-system-aarch64") : Path.of(named);
    if (!Files.isExecutable(program)) {
      return Assumptions.abort("no QEMU 11: name one in DOORBELL_QEMU_11, or let lab/run fetch it");
    }
    return !program.startsWith(lab)
        ? new QemuBinary(program)
        : new QemuBinary(started(lab, folder));
  }

  private static Path started(Path lab, Path folder) throws IOException {
    String script =
        """
        #!/bin/sh
        u='%s'
        exec "$u/lib64/ld-linux-x86-64.so.2" --library-path "$u/lib/x86_64-linux-gnu" "$u/bin/qemu-system-aarch64" \
          -L "$u/share/qemu" -L "$u/share/seabios" -L "$u/lib/ipxe/qemu" "$@"
        """
            .formatted(lab);
    Path made = Files.writeString(folder.resolve("qemu-system-aarch64"), script);
    Files.setPosixFilePermissions(made, PosixFilePermissions.fromString("rwx------"));
    return made;
  }

  private static Path cache() {
    String named = System.getenv("XDG_CACHE_HOME");
    return (named == null ? Path.of(System.getProperty("user.home"), ".cache") : Path.of(named))
        .resolve("doorbell");
  }

  static QemuBinary usual() {
    return usual(Hardware.SMMUV3);
  }

  static QemuBinary usual(Hardware hardware) {
    try {
      return hardware.binary();
    } catch (QemuMissing e) {
      return Assumptions.abort("%s; %s".formatted(e.getMessage(), e.advice()));
    }
  }
}
