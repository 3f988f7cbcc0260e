package dev.doorbell.contract;

import dev.doorbell.testkit.Property;
import dev.doorbell.testkit.SeededRandom;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/// Random sequences on whole machines against {@link Reference}.
class ContractPropertyTest {
  private static final int STEPS = 60;

  private static void hold(Sample sample, int cases) {
    Map<String, Integer> outcomes = Sequence.counts();
    Property.check(
        "the contract on " + sample.name(), cases, random -> run(sample, random, outcomes));
    if (Boolean.getBoolean("doorbell.contract.print")) {
      System.err.println(sample.name() + " " + outcomes);
    }
  }

  private static void run(Sample sample, SeededRandom random, Map<String, Integer> outcomes) {
    World first = sample.world(Wiring.HONEST);
    List<Step> steps = steps(first, random);
    Optional<AssertionError> failure = failure(first, steps, outcomes);
    if (failure.isPresent()) {
      List<Step> fewest = Property.fewest(steps, s -> again(sample, s).isPresent());
      throw new AssertionError(
          "%s; fewest steps %s: %s"
              .formatted(
                  failure.get().getMessage(),
                  fewest,
                  again(sample, fewest).map(AssertionError::getMessage)),
          failure.get());
    }
  }

  private static Optional<AssertionError> again(Sample sample, List<Step> steps) {
    return failure(sample.world(Wiring.HONEST), steps, Sequence.counts());
  }

  /// {@return what one sequence shows to be wrong}
  static Optional<AssertionError> tryOut(Sample sample, Wiring wiring, SeededRandom random) {
    World world = sample.world(wiring);
    return failure(world, steps(world, random), Sequence.counts());
  }

  private static List<Step> steps(World world, SeededRandom random) {
    return new Draw(random, world.facts).steps(STEPS);
  }

  private static Optional<AssertionError> failure(
      World world, List<Step> steps, Map<String, Integer> outcomes) {
    try {
      new Sequence(world, outcomes).run(steps);
      return Optional.empty();
    } catch (AssertionError e) {
      return Optional.of(e);
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
  @DisplayName("an SMMUv2: the contract of the window holds")
  void smmuV2() {
    hold(Sample.smmuV2(), 60);
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

  @Test
  @DisplayName(
      "a RISC-V IOMMU with an IMSIC: the contract of the window holds, forged vectors included")
  void riscv() {
    hold(Sample.riscv(), 60);
  }

  @Test
  @DisplayName(
      "eight harts, each with a doorbell: the contract of the window holds, and a vector that moves takes its doorbell along")
  void riscvHarts() {
    hold(Sample.riscvHarts(), 60);
  }

  @Test
  @DisplayName(
      "a PAMU with an MPIC: the contract of the window holds in few windows, forged vectors included")
  void pamu() {
    hold(Sample.pamu(), 60);
  }

  @Test
  @DisplayName("a PAMU and a function that cannot mask: the contract of the window holds")
  void pamuWithMsi() {
    hold(Sample.pamuWithMsi(), 60);
  }

  @Test
  @DisplayName("PHB3s with XICS: nobody reaches or raises what is not its own")
  void phb3() {
    hold(Sample.phb3(), 40);
  }

  @Test
  @DisplayName("PHB4s with XIVE: nobody reaches or raises what is not its own")
  void phb4() {
    hold(Sample.phb4(), 40);
  }

  @Test
  @DisplayName("PHB5s with XIVE2: nobody reaches or raises what is not its own")
  void phb5() {
    hold(Sample.phb5(), 40);
  }

  @Test
  @DisplayName("windows and messages of a PAPR guest: nobody reaches or raises what is not its own")
  void papr() {
    hold(Sample.papr(), 40);
  }

  @Test
  @DisplayName(
      "the same where the guest manages its interrupts itself: nobody reaches or raises what is not its own")
  void paprExploited() {
    hold(Sample.paprExploited(), 40);
  }
}
