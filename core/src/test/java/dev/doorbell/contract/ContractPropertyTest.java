package dev.doorbell.contract;

import dev.doorbell.testkit.Property;
import dev.doorbell.testkit.SeededRandom;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/// Random sequences on whole machines against {@link Reference}.
class ContractPropertyTest {
  private static final int STEPS = 60;

  private static void hold(Sample sample, int cases) {
    Map<String, Integer> outcomes = Sequence.counts();
    Property.check(
        "the contract on " + sample.name(),
        cases,
        random -> run(sample, Wiring.HONEST, random, outcomes));
    if (Boolean.getBoolean("doorbell.contract.print")) {
      System.err.println(sample.name() + " " + outcomes);
    }
  }

  static void run(
      Sample sample, Wiring wiring, SeededRandom random, Map<String, Integer> outcomes) {
    World first = sample.world(wiring);
    List<Step> steps = new Draw(random, first.facts).steps(STEPS);
    AssertionError failure = failure(first, steps, outcomes);
    if (failure != null) {
      List<Step> fewest =
          Property.fewest(steps, s -> failure(sample.world(wiring), s, Sequence.counts()) != null);
      AssertionError least = failure(sample.world(wiring), fewest, Sequence.counts());
      throw new AssertionError(
          "%s; fewest steps %s: %s"
              .formatted(failure.getMessage(), fewest, least == null ? "" : least.getMessage()),
          failure);
    }
  }

  private static AssertionError failure(
      World world, List<Step> steps, Map<String, Integer> outcomes) {
    try {
      new Sequence(world, outcomes).run(steps);
      return null;
    } catch (AssertionError e) {
      return e;
    }
  }

  @Test
  @DisplayName("one ITS and SMMU, a switch and VFs: the contract of the window holds")
  void oneIts() {
    hold(Sample.oneIts(), 60);
  }

  @Test
  @DisplayName("two SMMUs: the contract of the window holds")
  void twoSmmus() {
    hold(Sample.twoSmmus(), 60);
  }

  @Test
  @DisplayName("two ITSes: the contract of the window holds")
  void twoIts() {
    hold(Sample.twoIts(), 60);
  }

  @Test
  @DisplayName("a GICv2m frame: the contract of the window holds, forged vectors included")
  void gicV2m() {
    hold(Sample.gicV2m(), 60);
  }
}
