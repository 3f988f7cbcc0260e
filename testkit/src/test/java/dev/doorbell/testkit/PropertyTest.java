package dev.doorbell.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.opentest4j.TestAbortedException;

@DisplayName("Property: many seeded cases, and the seed of the one that fails")
class PropertyTest {
  private String chosenBefore = "";
  private String effortBefore = "";

  @BeforeEach
  void clearSwitches() {
    chosenBefore = System.getProperty(Property.SEED, "");
    effortBefore = System.getProperty(Property.EFFORT, "1");
    System.setProperty(Property.SEED, "");
    System.setProperty(Property.EFFORT, "1");
  }

  @AfterEach
  void restoreSwitches() {
    System.setProperty(Property.SEED, chosenBefore);
    System.setProperty(Property.EFFORT, effortBefore);
  }

  @Test
  @DisplayName("tries as many different cases as named, times the effort, the same ones every time")
  void triesTheSameCases() {
    List<Long> first = seedsOf("a property", 20);
    assertEquals(20, first.stream().distinct().count());
    assertEquals(first, seedsOf("a property", 20));
    assertTrue(first.stream().noneMatch(seedsOf("another property", 20)::contains));
    System.setProperty(Property.EFFORT, "3");
    assertEquals(60, seedsOf("a property", 20).size());
  }

  @Test
  @DisplayName("a failing case names its seed, and that seed replays this case alone")
  void failureNamesTheSeed() {
    IllegalStateException cause = new IllegalStateException("7 is odd");
    List<Long> tried = new ArrayList<>();
    Property.Case failsAtThird =
        random -> {
          tried.add(random.seed());
          if (tried.size() == 3) {
            throw cause;
          }
        };
    AssertionError error =
        assertThrows(
            AssertionError.class, () -> Property.check("numbers are even", 10, failsAtThird));
    String seed = "0x" + Long.toHexString(tried.get(2));
    assertTrue(
        error
            .getMessage()
            .startsWith(
                "numbers are even: case 3 of 10 fails; replay with -Ddoorbell.seed=" + seed),
        error::getMessage);
    assertEquals(cause, error.getCause());

    System.setProperty(Property.SEED, seed);
    assertEquals(List.of(tried.get(2)), seedsOf("numbers are even", 10));
  }

  @Test
  @DisplayName("a skipped case skips the test")
  void skipIsNoFailure() {
    assertThrows(
        TestAbortedException.class,
        () ->
            Property.check(
                "needs a file",
                5,
                random -> {
                  throw new TestAbortedException("skipped: no file");
                }));
  }

  @Test
  @DisplayName("fewest leaves only the steps that are needed to fail, in order")
  void fewestShrinks() {
    List<Integer> steps = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      steps.add(i);
    }
    assertEquals(
        List.of(17, 63), Property.fewest(steps, some -> some.contains(17) && some.contains(63)));
    assertThrows(IllegalArgumentException.class, () -> Property.fewest(steps, some -> false));
  }

  private static List<Long> seedsOf(String name, int cases) {
    List<Long> seeds = new ArrayList<>();
    Property.check(name, cases, random -> seeds.add(random.seed()));
    return seeds;
  }
}
