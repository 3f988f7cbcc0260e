package dev.doorbell.irq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("VectorRequest: how many are taken, and what is tried next")
class VectorRequestTest {
  private static VectorRequest request(int min, int max, boolean contiguous) {
    return new VectorRequest(min, max, contiguous, true, 0xffff_ffffL);
  }

  @Test
  @DisplayName("at least one, and no fewer at most than at least")
  void bounds() {
    assertEquals(1, request(1, 1, false).max());
    assertEquals(
        "cannot ask for 0 to 4 vectors",
        assertThrows(IllegalArgumentException.class, () -> request(0, 4, false)).getMessage());
    assertThrows(IllegalArgumentException.class, () -> request(5, 4, false));
  }

  @Test
  @DisplayName(
      "a block is the power of two that holds the vectors; without one each is taken alone")
  void taken() {
    VectorRequest block = request(1, 32, true);
    assertEquals(1, block.taken(1));
    assertEquals(4, block.taken(3));
    assertEquals(4, block.taken(4));
    assertEquals(8, block.taken(5));
    assertEquals(5, request(1, 32, false).taken(5));
  }

  @Test
  @DisplayName("next is what is free, always fewer, down to the minimum and then nothing")
  void less() {
    VectorRequest any = request(3, 32, false);
    assertEquals(20, any.less(32, 20));
    assertEquals(31, any.less(32, 40), "one that is said to fit did not");
    assertEquals(3, any.less(32, 1), "the minimum is tried whatever is said to be free");
    assertEquals(0, any.less(3, 40));
    VectorRequest block = request(1, 32, true);
    assertEquals(16, block.less(32, 40));
    assertEquals(4, block.less(6, 40), "the block of eight holds no more than the next of four");
    assertEquals(2, block.less(32, 2));
  }
}
