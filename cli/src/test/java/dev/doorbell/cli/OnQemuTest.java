package dev.doorbell.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.qemu.QemuBinary;
import dev.doorbell.qemu.QemuMissing;
import dev.doorbell.qemu.QemuVersion;
import dev.doorbell.qemu.Qemus;
import dev.doorbell.testkit.Json;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("commands on QEMU's machine: the same drivers, the same report")
class OnQemuTest {
  private static final String PROPERTY = "doorbell.qemu";

  @AfterEach
  void noProperty() {
    System.clearProperty(PROPERTY);
  }

  private static void needQemu() {
    try {
      assertFalse(QemuBinary.arm().toString().isEmpty());
    } catch (QemuMissing e) {
      Assumptions.abort("skipped: %s; %s".formatted(e.getMessage(), e.advice()));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"gicv3", "gicv2m"})
  @DisplayName("every vector of every endpoint arrives")
  void everyVectorArrives(String board) {
    needQemu();
    Run run =
        Run.of(
            "assign",
            "00:01.0",
            "01:00.0",
            "04:00.0",
            "05:00.0",
            "06:00.0",
            "08:01.0",
            "--on",
            "qemu",
            "--qemu",
            board,
            "--unsafe-interrupts",
            "--json");
    assertEquals(0, run.status(), run::toString);
    List<Json.Node> vectors = Json.parse(run.out()).get("vectors").list();
    assertEquals(22, vectors.size());
    for (Json.Node vector : vectors) {
      assertTrue(vector.get("delivered").isTrue(), vector::toString);
      assertEquals(
          board.equals("gicv3") ? "0x8090040" : "0x8020040", vector.get("doorbell").text());
    }
  }

  @ParameterizedTest
  @CsvSource({"q35-vtd, vt-d@0xfed90000", "q35-amdvi, amd-vi@0xfed80000"})
  @DisplayName("a PC is described by QEMU's own ACPI tables: which IOMMU, and who is behind it")
  void pc(String board, String iommu) {
    Qemus.x86OrSkip();
    Run run = Run.of("inspect", "--on", "qemu", "--qemu", board, "--json");
    assertEquals(0, run.status(), run::toString);
    assertEquals("x86", Json.parse(run.out()).get("machine").get("arch").text(), run.out());
    assertTrue(run.out().contains('"' + iommu + '"'), run.out());
    assertTrue(run.out().contains("0000:08:01.0"), run.out());
  }

  @ParameterizedTest
  @CsvSource({"gicv3", "q35-vtd", "q35-amdvi"})
  @DisplayName(
      "each machine that isolates has a first function with MSI-X, behind a bridge, that is assigned by itself")
  void first(String board) {
    if (board.startsWith("q35")) {
      Qemus.x86OrSkip();
    } else {
      Qemus.orSkip();
    }
    Run run = Run.of("assign", "--on", "qemu", "--qemu", board, "--json");
    assertEquals(0, run.status(), run::toString);
    List<Json.Node> vectors = Json.parse(run.out()).get("vectors").list();
    assertFalse(vectors.isEmpty(), run::toString);
    for (Json.Node vector : vectors) {
      assertTrue(vector.get("delivered").isTrue(), vector::toString);
    }
  }

  @Test
  @DisplayName(
      "a RISC-V machine: messages pass QEMU's IOMMU into interrupt files of its harts, as its own device tree describes them")
  void riscv() {
    QemuBinary binary = Qemus.riscvOrSkip();
    System.setProperty("doorbell.qemu.riscv", binary.toString());
    try {
      Run run =
          Run.of(
              "assign",
              "--on",
              "qemu",
              "--qemu",
              "riscv-imsic",
              "--unsafe-interrupts",
              "--json",
              "00:01.0",
              "00:02.0",
              "00:03.0",
              "00:04.0");
      assertEquals(0, run.status(), run::toString);
      List<Json.Node> vectors = Json.parse(run.out()).get("vectors").list();
      assertTrue(vectors.size() >= 4, run::toString);
      for (Json.Node vector : vectors) {
        assertTrue(vector.get("delivered").isTrue(), vector::toString);
        assertEquals("0x28000000", vector.get("doorbell").text());
      }
      Run wire =
          Run.of("trace", "aplic:0", "--vector", "10", "--on", "qemu", "--qemu", "riscv-imsic");
      assertEquals(0, wire.status(), wire::toString);
      assertTrue(wire.out().contains("would be delivered as INTID"), wire::toString);
    } finally {
      System.clearProperty("doorbell.qemu.riscv");
    }
  }

  @ParameterizedTest
  @CsvSource({"4K,0xfff", "16K,0x3fff", "64K,0xffff"})
  @DisplayName("granules of 4, 16 and 64 KiB: the doorbell keeps its offset in the larger page")
  void granules(String granule, String mask) {
    needQemu();
    Run run =
        Run.of(
            "assign",
            "00:05.0",
            "01:00.0",
            "06:00.0",
            "--on",
            "qemu",
            "--granule",
            granule,
            "--json");
    assertEquals(0, run.status(), run::toString);
    Json.Node document = Json.parse(run.out());
    assertEquals(granule, document.get("plan").get("window").get("granule").text());
    List<Json.Node> vectors = document.get("vectors").list();
    assertEquals(16 + 5 + 9, vectors.size());
    long offset = Long.decode(mask);
    for (Json.Node vector : vectors) {
      assertTrue(vector.get("delivered").isTrue(), vector::toString);
      assertEquals("0x8090040", vector.get("doorbell").text());
      assertEquals(0x809_0040L & offset, vector.get("address").number() & offset);
    }
  }

  @Test
  @DisplayName(
      "stage 2 that the SMMU has not is refused with its own register, and one that there never is with both numbers")
  void noSuchStage() {
    needQemu();
    Run run = Run.of("assign", "--on", "qemu", "--stage", "3");
    assertEquals(2, run.status(), run::toString);
    assertTrue(run.err().contains("--stage 3 is neither 1 nor 2"), run.err());
    assertEquals(2, Run.of("trace", "01:00.0", "--stage", "2", "--tables", ".").status());
    QemuVersion version = QemuBinary.arm().version().orElseThrow();
    Assumptions.assumeFalse(version.isAtLeast(9, 1), version + " has stage 2");
    Run lacking = Run.of("assign", "--on", "qemu", "--stage", "2");
    assertEquals(1, lacking.status(), lacking::toString);
    assertTrue(lacking.out().contains("SMMU_IDR0"), lacking.out());
    assertTrue(lacking.out().contains("STAGE2 is not implemented"), lacking.out());
    assertTrue(lacking.out().contains("of this SMMU it takes STAGE1"), lacking.out());
    String newer = "a QEMU of version 9.1.0 or later (this one is %s)".formatted(version);
    assertTrue(lacking.out().contains(newer), lacking.out());
    assertTrue(lacking.out().contains("--qemu gicv3-stage2"), lacking.out());
    Run board = Run.of("assign", "--on", "qemu", "--qemu", "gicv3-stage2", "--json");
    assertEquals(2, board.status(), board::toString);
    assertEquals("QemuTooOld", Json.parse(board.out()).get("error").get("type").text());
  }

  @ParameterizedTest
  @CsvSource({"gicv3, 4K", "gicv3, 16K", "gicv3, 64K", "gicv3-stage2, 4K", "gicv3-stage2, 64K"})
  @DisplayName(
      "on QEMU 10 stage 2, of an SMMU that has both or that alone: every vector arrives, and its trace says so")
  void stage2(String board, String granule) {
    System.setProperty(PROPERTY, Qemus.tenOrSkip().path().toString());
    String[] same = {"--on", "qemu", "--qemu", board, "--stage", "2"};
    Run run = Run.of(with(same, "assign", "00:05.0", "06:00.0", "--granule", granule, "--json"));
    assertEquals(0, run.status(), run::toString);
    List<Json.Node> vectors = Json.parse(run.out()).get("vectors").list();
    assertEquals(16 + 9, vectors.size());
    for (Json.Node vector : vectors) {
      assertTrue(vector.get("delivered").isTrue(), vector::toString);
      assertEquals("0x8090040", vector.get("doorbell").text());
    }
    Run trace = Run.of(with(same, "trace", "06:00.0", "--vector", "3"));
    assertEquals(0, trace.status(), trace::toString);
    assertTrue(trace.out().contains("stage 2"), trace.out());
  }

  private static String[] with(String[] same, String... command) {
    return Stream.concat(Stream.of(command), Stream.of(same)).toArray(String[]::new);
  }

  @Test
  @DisplayName("a window without room is refused there as on models, with both figures")
  void windowTooSmall() {
    needQemu();
    Run run =
        Run.of("assign", "--on", "qemu", "--granule", "64K", "--window", "0x8000000-0x8000fff");
    assertEquals(1, run.status(), run::toString);
    assertTrue(run.out().contains("needed 65536 bytes, available 0 bytes"), run.out());
  }

  @Test
  @DisplayName("inspect, plan and trace look at it too")
  void others() {
    needQemu();
    Run inspect = Run.of("inspect", "--on", "qemu");
    assertEquals(0, inspect.status(), inspect::toString);
    assertTrue(inspect.out().contains("its@0x8080000"), inspect.out());
    assertEquals(0, Run.of("plan", "--on", "qemu").status());
    Run trace = Run.of("trace", "08:01.0", "--on", "qemu");
    assertEquals(0, trace.status(), trace::toString);
    assertTrue(trace.out().contains("DeviceID 0x800"), trace.out());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          assign --on qemu --root /             | --root
          inspect --on qemu --with 1:0.0,msix=1 | --with
          trace 01:00.0 --on qemu --tables .    | --tables
          assign --qemu gicv2m                  | --on qemu
          assign --on vmware                    | vmware
          plan --on qemu --qemu gicv5           | gicv5
          """)
  @DisplayName("arguments that name two machines, or none, are unusable")
  void contradictions(String line, String names) {
    Run run = Run.of(line.split(" ", -1));
    assertEquals(2, run.status(), run::toString);
    assertTrue(run.err().contains(names), run.err());
  }

  @Test
  @DisplayName(
      "no QEMU: exit 2, the program and Debian's package are named, and under --json it is a document")
  void missing() {
    System.setProperty(PROPERTY, "/nowhere/qemu-system-aarch64");
    Run run = Run.of("assign", "--on", "qemu");
    assertEquals(2, run.status());
    assertEquals("", run.out());
    assertTrue(run.err().contains("/nowhere/qemu-system-aarch64"), run.err());
    assertTrue(run.err().contains("qemu-system-arm"), run.err());
    Run json = Run.of("assign", "--on", "qemu", "--json");
    assertEquals(2, json.status());
    assertEquals("QemuMissing", Json.parse(json.out()).get("error").get("type").text());
  }
}
