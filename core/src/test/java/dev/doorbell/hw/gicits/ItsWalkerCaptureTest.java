package dev.doorbell.hw.gicits;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.explain.Basis;
import dev.doorbell.explain.Hop;
import dev.doorbell.hw.gicv3.GicV3Walker;
import dev.doorbell.hw.gicv3.LpiState;
import dev.doorbell.route.TableDump;
import dev.doorbell.testkit.Golden;
import dev.doorbell.testkit.Shared;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The walkers on tables that Linux built, against what an independent walker and the kernel say.
class ItsWalkerCaptureTest {
  private static TableDump dump(Path oracle) throws IOException {
    try (var text = Files.newBufferedReader(oracle.resolve("memory.txt"))) {
      return TableDump.read("memory.txt", text);
    }
  }

  private static ItsWalker walker(Path oracle) throws IOException {
    return new ItsWalker(
        "its@0x8080000",
        CapturedIts.registers(oracle, "its"),
        dump(oracle)::read64,
        "qemu",
        Basis.OBSERVED);
  }

  @ParameterizedTest
  @CsvSource({
    "arm64-2smmu-acpi, 24",
    "arm64-its-acpi-switch-sriov, 38",
    "arm64-its-dt, 12",
    "arm64-its-iommufd, 33",
    "arm64-its-noiommu-acpi, 6",
    "arm64-its-stage2-dt, 17",
    "arm64-its-vfio-noiommu, 12",
    "arm64-virtio-iommu-acpi, 7"
  })
  @DisplayName(
      "lab captures: every vector's DTE, ITT, ITE, LPI, collection, target and configuration byte are those of truth.json")
  void truth(String machine, int vectors) throws IOException {
    Path oracle = Shared.require("lab-captures/" + machine + "/oracle");
    ItsWalker its = walker(oracle);
    GicV3Walker gic =
        new GicV3Walker(
            List.of(CapturedIts.registers(oracle, "gicr")), dump(oracle)::read64, Basis.OBSERVED);
    List<CapturedIts.Truth> truth = CapturedIts.truth(oracle);
    assertEquals(vectors, truth.size());
    for (CapturedIts.Truth t : truth) {
      ItsWalk walk = its.walk(t.requesterId(), t.data());
      LpiState lpi = gic.lpi(walk.target().orElse(-1), walk.intid().orElse(-1));
      assertAll(
          t.toString(),
          () -> assertEquals(ItsWalk.Outcome.TRANSLATED, walk.outcome(), walk.hops()::toString),
          () -> assertEquals(OptionalLong.of(t.dteAddress()), walk.dteAddress()),
          () -> assertEquals(OptionalLong.of(t.dte()), walk.dte()),
          () -> assertEquals(OptionalLong.of(t.itt()), walk.ittAddress()),
          () -> assertEquals(OptionalLong.of(t.iteAddress()), walk.iteAddress()),
          () -> assertEquals(OptionalInt.of(t.intid()), walk.intid()),
          () -> assertEquals(OptionalInt.of(t.icid()), walk.icid()),
          () -> assertEquals(OptionalInt.of(0), walk.target()),
          () -> assertEquals(Optional.of((t.configByte() & 1) != 0), lpi.enabled()),
          () -> assertEquals(OptionalInt.of(t.configByte() & 0xfc), lpi.priority()));
    }
  }

  @Test
  @DisplayName("golden: the hops of one vector of arm64-its-dt")
  void golden() throws IOException {
    Path oracle = Shared.require("lab-captures/arm64-its-dt/oracle");
    StringBuilder text = new StringBuilder();
    walker(oracle).walk(0x100, 4).hops().forEach(h -> text.append(h).append('\n'));
    new GicV3Walker(
            List.of(CapturedIts.registers(oracle, "gicr")), dump(oracle)::read64, Basis.OBSERVED)
        .lpi(0, 8206)
        .hops()
        .forEach(h -> text.append(h).append('\n'));
    Golden.check("gicits/walk-its-dt.txt", text.toString());
  }

  @Test
  @DisplayName(
      "lab capture: a device that is not mapped, an event that is not mapped, an event outside the table are dropped at the right hop")
  void dropped() throws IOException {
    ItsWalker its = walker(Shared.require("lab-captures/arm64-its-dt/oracle"));
    broken(its.walk(0x101, 0), ItsWalk.Outcome.DROPPED, "DTE", "not mapped");
    broken(its.walk(0x100, 7), ItsWalk.Outcome.DROPPED, "ITE", "not mapped");
    broken(its.walk(0x100, 16), ItsWalk.Outcome.DROPPED, "DTE", "4 bits");
    broken(its.walk(0x1_0000, 0), ItsWalk.Outcome.DROPPED, "GITS_TYPER", "16 bits");
    broken(its.walk(0x8000, 0), ItsWalk.Outcome.DROPPED, "level 1", "no level-2 page");
  }

  @Test
  @DisplayName(
      "an unknown table format, missing registers, entry sizes of another format: cannot see, never a guess")
  void cannotSee() throws IOException {
    Path oracle = Shared.require("lab-captures/arm64-its-dt/oracle");
    Map<String, Long> registers = CapturedIts.registers(oracle, "its");
    TableDump dump = dump(oracle);
    broken(
        new ItsWalker("its", registers, dump::read64, "gic-600", Basis.OBSERVED).walk(0x100, 4),
        ItsWalk.Outcome.CANNOT_SEE,
        "device table",
        "'gic-600'");
    broken(
        new ItsWalker("its", Map.of(), dump::read64, "qemu", Basis.OBSERVED).walk(0x100, 4),
        ItsWalk.Outcome.CANNOT_SEE,
        "GITS_CTLR",
        "not recorded");
    broken(
        new ItsWalker(
                "its",
                Map.of("CTLR", 1L, "TYPER", 0x1f0001ef71L),
                dump::read64,
                "qemu",
                Basis.OBSERVED)
            .walk(0x100, 4),
        ItsWalk.Outcome.CANNOT_SEE,
        "GITS_TYPER",
        "8 bytes");
    broken(
        new ItsWalker("its", registers, pa -> OptionalLong.empty(), "qemu", Basis.OBSERVED)
            .walk(0x100, 4),
        ItsWalk.Outcome.CANNOT_SEE,
        "level 1",
        "0x429c0000");
    broken(
        new ItsWalker("its", Map.of("CTLR", 0x80000000L), dump::read64, "qemu", Basis.OBSERVED)
            .walk(0x100, 4),
        ItsWalk.Outcome.DROPPED,
        "GITS_CTLR",
        "disabled");
  }

  private static void broken(ItsWalk walk, ItsWalk.Outcome outcome, String at, String why) {
    Hop last = walk.hops().getLast();
    assertEquals(outcome, walk.outcome(), walk.hops()::toString);
    assertTrue(last.at().contains(at) && last.why().contains(why), last::toString);
    assertEquals(outcome == ItsWalk.Outcome.DROPPED ? "dropped" : "cannot see", last.out());
  }
}
