package dev.doorbell.irq;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.doorbell.explain.Source;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("NumberPool: a controller's vectors, lowest first, or an aligned block")
class NumberPoolTest {
  private static final MsiSource WHO = new MsiSource("0000:01:00.0", 8);

  private final NumberPool pool = new NumberPool("v2m0", 12, Source.rule("a test"));

  private int[] take(int count, boolean contiguous) {
    int[] into = new int[count];
    pool.take(WHO, into, contiguous);
    return into;
  }

  @Test
  @DisplayName("the lowest free numbers, with holes filled; all of them, and not one more")
  void lowestFirst() {
    assertArrayEquals(new int[] {0, 1, 2, 3}, take(4, false));
    pool.giveBack(1);
    pool.giveBack(2);
    assertEquals(10, pool.free());
    assertArrayEquals(new int[] {1, 2, 4}, take(3, false));
    VectorsExhausted e = assertThrows(VectorsExhausted.class, () -> take(8, false));
    assertEquals(8, e.refusal().needed().orElseThrow().value());
    assertEquals(7, e.refusal().available().orElseThrow().value());
    assertEquals(7, pool.free(), "nothing is taken by what is refused");
    assertEquals(7, take(7, false).length);
    assertEquals(0, pool.free());
  }

  @Test
  @DisplayName("a block begins at a multiple of its size and ends within the pool")
  void blocks() {
    take(1, false);
    assertArrayEquals(new int[] {4, 5, 6, 7}, take(4, true));
    assertArrayEquals(new int[] {2, 3}, take(2, true));
    assertArrayEquals(new int[] {8, 9, 10, 11}, take(4, true));
    assertArrayEquals(new int[] {1}, take(1, true));
    assertThrows(VectorsExhausted.class, () -> take(1, true));
    pool.giveBack(3);
    pool.giveBack(4);
    VectorsExhausted e = assertThrows(VectorsExhausted.class, () -> take(2, true));
    assertEquals(1, e.refusal().available().orElseThrow().value(), "two, but not in one block");
  }

  @Test
  @DisplayName("the largest block of a pool that is no power of two is said")
  void largestBlock() {
    VectorsExhausted e = assertThrows(VectorsExhausted.class, () -> take(16, true));
    assertEquals(8, e.refusal().available().orElseThrow().value());
    assertArrayEquals(new int[] {0, 1, 2, 3, 4, 5, 6, 7}, take(8, true));
  }

  @Test
  @DisplayName("no vectors, or a block of three, is nothing that can be asked")
  void refused() {
    assertThrows(IllegalArgumentException.class, () -> take(0, false));
    assertEquals(
        "0000:01:00.0 asks v2m0 for 3 vectors (contiguous: true)",
        assertThrows(IllegalArgumentException.class, () -> take(3, true)).getMessage());
    assertArrayEquals(new int[] {0, 1, 2}, take(3, false));
  }
}
