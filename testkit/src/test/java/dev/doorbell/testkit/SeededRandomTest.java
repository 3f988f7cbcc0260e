package dev.doorbell.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("SeededRandom: everything follows from one number")
class SeededRandomTest {
  @Test
  @DisplayName("gives the published first values of SplitMix64 from seed 1234567")
  void matchesThePublishedSequence() {
    // Source: the reference implementation's output as published with Rosetta Code's task
    // "Pseudo-random numbers/Splitmix64".
    SeededRandom random = SeededRandom.of(1234567);
    assertEquals(6457827717110365317L, random.nextLong());
    assertEquals(3203168211198807973L, random.nextLong());
    assertEquals(Long.parseUnsignedLong("9817491932198370423"), random.nextLong());
    assertEquals(4593380528125082431L, random.nextLong());
    assertEquals(Long.parseUnsignedLong("16408922859458223821"), random.nextLong());
  }

  @Test
  @DisplayName("a split generator is not shifted by what its parent draws later")
  void splitIsIndependent() {
    SeededRandom parent = SeededRandom.of(7);
    SeededRandom child = parent.split();
    parent.bytes(100);
    assertEquals(SeededRandom.of(7).split().nextLong(), child.nextLong());
    assertNotEquals(SeededRandom.of(7).nextLong(), SeededRandom.of(7).split().nextLong());
  }

  @Test
  @DisplayName("between reaches both ends and nothing beyond")
  void betweenIsInclusive() {
    SeededRandom random = SeededRandom.of(1);
    Set<Integer> seen = new HashSet<>();
    for (int i = 0; i < 1000; i++) {
      seen.add(random.between(-2, 3));
    }
    assertEquals(Set.of(-2, -1, 0, 1, 2, 3), seen);
    assertThrows(IllegalArgumentException.class, () -> random.between(3, 2));
  }

  @Test
  @DisplayName("betweenUnsigned covers ranges that cross 2^63 and the whole of 2^64")
  void betweenUnsignedCrossesTheSign() {
    SeededRandom random = SeededRandom.of(2);
    for (int i = 0; i < 1000; i++) {
      long value = random.betweenUnsigned(0x7fff_ffff_ffff_fff0L, 0x8000_0000_0000_000fL);
      assertTrue(
          Long.compareUnsigned(value, 0x7fff_ffff_ffff_fff0L) >= 0, () -> Long.toHexString(value));
      assertTrue(
          Long.compareUnsigned(value, 0x8000_0000_0000_000fL) <= 0, () -> Long.toHexString(value));
    }
    random.betweenUnsigned(0, -1);
  }

  @Test
  @DisplayName("bits gives no bit above those asked for, and all of them sometimes")
  void bitsAreBounded() {
    SeededRandom random = SeededRandom.of(3);
    long union = 0;
    for (int i = 0; i < 200; i++) {
      union |= random.bits(12);
    }
    assertEquals(0xfff, union);
    assertEquals(0, random.bits(0));
    assertThrows(IllegalArgumentException.class, () -> random.bits(65));
  }

  @Test
  @DisplayName("the same seed gives the same bytes and the same order")
  void replays() {
    assertArrayEquals(SeededRandom.of(5).bytes(64), SeededRandom.of(5).bytes(64));
    List<Integer> items = List.of(1, 2, 3, 4, 5, 6, 7, 8);
    List<Integer> order = SeededRandom.of(5).shuffled(items);
    assertEquals(order, SeededRandom.of(5).shuffled(items));
    assertEquals(Set.copyOf(items), Set.copyOf(order));
    assertNotEquals(items, order);
  }
}
