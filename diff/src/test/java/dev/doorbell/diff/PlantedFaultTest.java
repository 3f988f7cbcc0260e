package dev.doorbell.diff;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bits.Field;
import dev.doorbell.hw.smmuv3.CdLayout;
import dev.doorbell.hw.smmuv3.SteLayout;
import dev.doorbell.qemu.QemuVersion;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

@DisplayName("issue 3, differential test: it finds what is wrong, and nothing where nothing is")
class PlantedFaultTest {
  private static final int STEPS = 25;

  @ParameterizedTest
  @EnumSource(FaultyRig.Fault.class)
  @DisplayName(
      "a model with a planted fault is found out within 100 scenarios, by a shorter scenario that shows it again")
  void found(FaultyRig.Fault fault) {
    try (Differential d = Differential.with(fault.hardware, fault.dialect, new FaultyRig(fault))) {
      Differential.Report report = d.run(1, 100, STEPS, seed -> {});
      assertTrue(report.finding().isPresent(), () -> fault + " was not found: " + report);
      Differential.Finding finding = report.finding().get();
      Recording again = Script.parse(finding.script(), "finding");
      assertAll(
          () -> assertTrue(finding.seed().isPresent()),
          () -> assertTrue(d.replay(again).finding().isPresent(), finding.script()));
    }
  }

  @ParameterizedTest
  @MethodSource("arm")
  @DisplayName("the model shows no difference to itself, not even a known one")
  void none(Hardware hardware) {
    for (SmmuDialect dialect : List.of(SmmuDialect.QEMU_7_2, SmmuDialect.QEMU_10)) {
      ModelRig twin = new ModelRig(hardware, dialect.features());
      try (Differential d = Differential.with(hardware, dialect, twin)) {
        Differential.Report report = d.run(1, 200, STEPS, seed -> {});
        assertEquals(Optional.empty(), report.finding());
        assertEquals(Map.of(), report.tolerated());
      }
    }
  }

  static List<Hardware> arm() {
    return Hardware.arm();
  }

  @Test
  @DisplayName(
      "nested streams get CDs with wrong sizes, granules and table bases, and stage 2 tables that are absent, blocks or others")
  void brokenNests() {
    Set<String> shapes = new TreeSet<>();
    for (long seed = 1; seed <= 1000; seed++) {
      String script = Differential.script(Hardware.SMMUV3, seed, 25, new QemuVersion(10, 0, 2));
      Map<Long, Long> before = new HashMap<>();
      Set<Long> nested = new HashSet<>();
      for (Step step : Script.parse(script, "seed").scenario().steps()) {
        if (step instanceof Step.Store(long address, List<Long> words)) {
          long word = words.getFirst();
          if (SteLayout.CONFIG.get(word) == SteLayout.CONFIG_NESTED && address < Board.CONTEXTS) {
            nested.add(SteLayout.S1_CONTEXT_PTR.get(word) & (Board.ARENA_BYTES - 1));
          }
          if (address >= Board.CONTEXTS
              && address < Board.TABLES
              && nested.contains(address & (Board.ARENA_BYTES - 1))) {
            changed(shapes, CdLayout.T0SZ, before.put(address, word), word);
            changed(shapes, CdLayout.TG0, before.get(-address), word);
            before.put(-address, word);
            changed(shapes, CdLayout.TTB0, before.put(address + 8, words.get(1)), words.get(1));
          }
          Long was = address >= Board.OUTER_TABLES ? before.put(address, word) : null;
          if (was != null && (was & 3) == 3 && before.containsKey(was & -4096L | 1)) {
            boolean other = (word & 3) == 3 && word != was;
            shapes.add(
                word == 0 ? "absent" : (word & 3) == 1 ? "block" : other ? "table" : "as it was");
          }
          before.put(address & -4096L | 1, 1L);
        }
      }
    }
    Set<String> all = Set.of("T0SZ", "TG0", "TTB0", "absent", "block", "table");
    assertTrue(shapes.containsAll(all), shapes::toString);
  }

  private static void changed(Set<String> shapes, Field field, @Nullable Long was, long is) {
    if (was != null && field.get(was) != field.get(is)) {
      shapes.add(field.name());
    }
  }

  @Test
  @DisplayName(
      "scenarios of an SMMU with two stages have streams of stage 1, of stage 2, and of both, with granules of their own")
  void nested() {
    Set<String> shapes = new TreeSet<>();
    for (long seed = 1; seed <= 300; seed++) {
      String script = Differential.script(Hardware.SMMUV3, seed, 1, new QemuVersion(10, 0, 2));
      for (Step step : Script.parse(script, "seed").scenario().steps()) {
        if (step instanceof Step.Store(long address, List<Long> words)
            && address >= Board.STREAMS
            && address < Board.CONTEXTS
            && words.size() == SteLayout.QUADWORDS) {
          long config = SteLayout.CONFIG.get(words.getFirst());
          shapes.add(
              config == SteLayout.CONFIG_NESTED
                  ? "nested " + SteLayout.S2_TG.get(words.get(2))
                  : Long.toString(config));
        }
      }
    }
    assertTrue(
        shapes.containsAll(Set.of("5", "6", "nested 0", "nested 1", "nested 2")), shapes::toString);
  }
}
