package dev.doorbell.hw.smmuv3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.testkit.Property;
import dev.doorbell.testkit.SeededRandom;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class SmmuWalkerHostileTest {
  private static final int MOST_READS = 200;

  @Test
  @DisplayName(
      "Whatever registers and memory hold, a walk ends, bounded, at an address or at a reason with its source")
  void bounded() {
    Property.check(
        "SMMUv3 hostile walk",
        5000,
        random -> {
          Map<String, Long> registers = new HashMap<>();
          registers.put("CR0", random.oneIn(10) ? random.nextLong() : 1L);
          registers.put("GBPA", random.nextLong());
          registers.put("IDR5", random.nextLong());
          registers.put("STRTAB_BASE", random.nextLong());
          registers.put("STRTAB_BASE_CFG", (long) random.below(1 << 18));
          if (random.oneIn(20)) {
            registers.remove(random.pick(List.copyOf(registers.keySet())));
          }
          AtomicInteger reads = new AtomicInteger();
          SmmuWalker walker =
              new SmmuWalker(
                  "smmu",
                  registers,
                  pa -> {
                    reads.incrementAndGet();
                    return random.oneIn(20) ? OptionalLong.empty() : OptionalLong.of(word(random));
                  });
          SmmuWalk walk =
              walker.walk((int) random.anyMagnitude(), new Iova(random.anyMagnitude()), true);
          assertTrue(reads.get() <= MOST_READS, "reads");
          assertEquals(
              walk.output().isEmpty(), walk.stoppedAt().filter(s -> !s.isEmpty()).isPresent());
          assertTrue(walk.hops().stream().noneMatch(hop -> hop.source().where().isEmpty()));
        });
  }

  /// Words that get a walk further than noise does: valid entries, context descriptors and tables.
  private static long word(SeededRandom random) {
    return switch (random.below(4)) {
      case 0 -> random.nextLong();
      case 1 -> random.nextLong() | 0b1011 | 1L << 31 | 1L << 41;
      case 2 -> 9 | random.bits(40) << 6;
      default -> 0x443 | random.bits(28) << 12;
    };
  }

  @Test
  @DisplayName("IHI 0070 6.3 GBPA: a disabled SMMU bypasses or aborts as SMMU_GBPA says")
  void disabled() {
    SmmuWalker bypass =
        new SmmuWalker("smmu", Map.of("CR0", 0L, "GBPA", 0L), pa -> OptionalLong.empty());
    assertEquals(Optional.of(new Pa(0x1234)), bypass.walk(1, new Iova(0x1234), true).output());
    SmmuWalker abort =
        new SmmuWalker("smmu", Map.of("CR0", 0L, "GBPA", 1L << 20), pa -> OptionalLong.empty());
    assertEquals(
        Optional.of("SMMUEN=0 and SMMU_GBPA.ABORT=1: every access is aborted"),
        abort.walk(1, new Iova(0x1234), true).stoppedAt());
    SmmuWalker blind = new SmmuWalker("smmu", Map.of(), pa -> OptionalLong.empty());
    assertEquals(
        Optional.of("cannot see whether the SMMU translates: SMMU_CR0 is not among the registers"),
        blind.walk(1, new Iova(0), true).stoppedAt());
  }
}
