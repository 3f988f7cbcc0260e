package dev.doorbell.address;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName(
    "addresses: nothing added, the top and the bottom of the space, ranges that share one address")
class EdgesTest {
  private static final List<Long> SOME = List.of(0L, 1L, 0x8000_0000_0000_0000L, -1L);

  @Test
  @DisplayName("no bytes further is the address itself; one step past either end is refused")
  void plus() {
    for (long at : SOME) {
      assertEquals(new Iova(at), new Iova(at).plus(0));
      assertEquals(new Ipa(at), new Ipa(at).plus(0));
      assertEquals(new Pa(at), new Pa(at).plus(0));
      assertEquals(new Hva(at), new Hva(at).plus(0));
    }
    assertEquals(new Pa(-1L), new Pa(-2L).plus(1));
    assertEquals(new Pa(0), new Pa(1).plus(-1));
    assertThrows(ArithmeticException.class, () -> new Iova(-1L).plus(1));
    assertThrows(ArithmeticException.class, () -> new Ipa(0).plus(-1));
    assertThrows(ArithmeticException.class, () -> new Pa(-1L).plus(Long.MAX_VALUE));
    assertThrows(ArithmeticException.class, () -> new Hva(0x10).plus(Long.MIN_VALUE));
  }

  @Test
  @DisplayName("what two ranges share may be one address, the whole of one, or nothing")
  void intersection() {
    AddressRange low = new AddressRange(0x10, 0x20);
    assertEquals(
        Optional.of(new AddressRange(0x20, 0x20)), low.intersection(new AddressRange(0x20, -1)));
    assertEquals(Optional.of(low), low.intersection(new AddressRange(0, -1)));
    assertEquals(Optional.of(low), new AddressRange(0, -1).intersection(low));
    assertEquals(Optional.empty(), low.intersection(new AddressRange(0x21, 0x30)));
  }

  @Test
  @DisplayName("a set with something in it is not empty, and one from which all was taken is")
  void emptySet() {
    IntervalSet set = IntervalSet.of(new AddressRange(5, 5));
    assertFalse(set.isEmpty());
    set.remove(new AddressRange(5, 5));
    assertTrue(set.isEmpty());
    assertTrue(IntervalSet.of().isEmpty());
  }
}
