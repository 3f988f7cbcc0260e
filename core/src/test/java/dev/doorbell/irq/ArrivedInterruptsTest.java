package dev.doorbell.irq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("ArrivedInterrupts: rounds from the hardware to a sink")
class ArrivedInterruptsTest {
  private final ArrivedInterrupts arrived = new ArrivedInterrupts();

  @Test
  @DisplayName("more than a round usually holds are told in order, and none a second time")
  void inOrder() {
    ArrivedInterrupts.Round round = arrived.begin();
    List<String> expected = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      round.arrived(100 + i, i % 3);
      expected.add((100 + i) + "@" + i % 3);
    }
    List<String> told = new ArrayList<>();
    assertEquals(50, round.deliver((intid, cpu) -> told.add(intid + "@" + cpu)));
    assertEquals(expected, told);
    ArrivedInterrupts.Round next = arrived.begin();
    assertSame(round, next, "its memory is used again");
    assertEquals(0, next.deliver((intid, _) -> told.add("again " + intid)));
    assertEquals(expected, told);
  }

  @Test
  @DisplayName("a sink that collects has a round of its own; what it collects is not mixed in")
  void nested() {
    ArrivedInterrupts.Round outer = arrived.begin();
    outer.arrived(1, 0);
    outer.arrived(2, 0);
    List<Integer> told = new ArrayList<>();
    outer.deliver((intid, _) -> {
      told.add(intid);
      ArrivedInterrupts.Round inner = arrived.begin();
      assertNotSame(outer, inner);
      inner.arrived(10 * intid, 0);
      assertEquals(1, inner.deliver((i, _) -> told.add(i)));
    });
    assertEquals(List.of(1, 10, 2, 20), told);
  }

  @Test
  @DisplayName("a sink that throws ends the round")
  void sinkThrows() {
    ArrivedInterrupts.Round round = arrived.begin();
    round.arrived(1, 0);
    assertThrows(
        IllegalStateException.class,
        () ->
            round.deliver((_, _) -> {
              throw new IllegalStateException("no");
            }));
    ArrivedInterrupts.Round next = arrived.begin();
    assertSame(round, next);
    assertEquals(0, next.deliver((_, _) -> {}));
  }
}
