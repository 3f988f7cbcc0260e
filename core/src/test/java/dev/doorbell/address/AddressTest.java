package dev.doorbell.address;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.function.LongFunction;
import java.util.function.ToLongFunction;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("Addresses of the four kinds: unsigned, and they do not pass the top")
class AddressTest {
  /// What the kinds share, asked of one of them.
  private interface Plus<A> {
    A of(A address, long bytes);
  }

  private static <A extends Comparable<A>> void check(
      LongFunction<A> make, ToLongFunction<A> value, Plus<A> plus) {
    assertEquals(0x1234, value.applyAsLong(plus.of(make.apply(0x1000), 0x234)));
    assertEquals(make.apply(-1L), plus.of(make.apply(-2L), 1));
    assertEquals(make.apply(5), plus.of(make.apply(5), 0));
    assertEquals(make.apply(0), plus.of(make.apply(5), -5));
    assertEquals(
        "0xffffffffffffffff plus 1 leaves the 64-bit space",
        assertThrows(ArithmeticException.class, () -> plus.of(make.apply(-1L), 1)).getMessage());
    assertThrows(ArithmeticException.class, () -> plus.of(make.apply(5), -6));
    assertTrue(make.apply(-1L).compareTo(make.apply(1)) > 0);
    assertTrue(make.apply(1).compareTo(make.apply(Long.MIN_VALUE)) < 0);
    assertEquals(0, make.apply(9).compareTo(make.apply(9)));
    assertEquals("0x8000000000000000", make.apply(Long.MIN_VALUE).toString());
  }

  @Test
  @DisplayName("sums, order and text of each kind")
  void kinds() {
    check(Iova::new, Iova::value, Iova::plus);
    check(Ipa::new, Ipa::value, Ipa::plus);
    check(Pa::new, Pa::value, Pa::plus);
    check(Hva::new, Hva::value, Hva::plus);
  }
}
