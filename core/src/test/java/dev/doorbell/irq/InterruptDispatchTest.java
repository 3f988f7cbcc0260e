package dev.doorbell.irq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.doorbell.testkit.Property;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("InterruptDispatch: each interrupt to the one who waits for it")
class InterruptDispatchTest {
  private final InterruptDispatch dispatch = new InterruptDispatch();
  private final List<String> told = new ArrayList<>();

  private void await(int intid) {
    dispatch.add(intid, (i, cpu) -> told.add(intid + ": " + i + "@" + cpu));
  }

  @Test
  @DisplayName("the number and the CPU are told; a second waiter is refused and the first stays")
  void oneWaiter() {
    await(8192);
    assertEquals(
        "interrupt 8192 is waited for already",
        assertThrows(IllegalStateException.class, () -> await(8192)).getMessage());
    dispatch.arrived(8192, 3);
    assertEquals(List.of("8192: 8192@3"), told);
    assertEquals(0, dispatch.unclaimed());
  }

  @Test
  @DisplayName("waiters come and go in any order: those there hear of theirs, the rest is counted")
  void anyOrder() {
    Property.check(
        "interrupt dispatch",
        40,
        random -> {
          InterruptDispatch d = new InterruptDispatch();
          List<Integer> heard = new ArrayList<>();
          Set<Integer> waiting = new TreeSet<>();
          long unclaimed = 0;
          for (int step = 0; step < 60; step++) {
            int intid = random.below(12);
            if (random.oneIn(3)) {
              d.remove(intid);
              waiting.remove(intid);
            } else if (waiting.add(intid)) {
              d.add(intid, (i, _) -> heard.add(intid * 100 + i));
            }
            heard.clear();
            List<Integer> expected = new ArrayList<>();
            for (int i = 0; i < 12; i++) {
              d.arrived(i, 0);
              if (waiting.contains(i)) {
                expected.add(i * 100 + i);
              } else {
                unclaimed++;
              }
            }
            assertEquals(expected, heard);
            assertEquals(unclaimed, d.unclaimed());
          }
        });
  }
}
