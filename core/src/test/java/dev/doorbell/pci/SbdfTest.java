package dev.doorbell.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.util.HashSet;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

final class SbdfTest {
  @Test
  void everyFunctionIsWrittenWithFourTwoTwoAndOneDigitAndReadBack() {
    SplittableRandom random = new SplittableRandom(7);
    for (int i = 0; i < 20_000; i++) {
      Sbdf f = any(random);
      String expected =
          "%04x:%02x:%02x.%x".formatted(f.segment(), f.bus(), f.device(), f.function());
      assertEquals(expected, f.toString());
      assertEquals(f, Sbdf.parse(f.toString()));
      assertEquals(
          expected.substring(0, expected.length() - 5),
          new PciTopology.BusId(f.segment(), f.bus()).toString());
    }
  }

  @Test
  void eachPartTellsFunctionsApart() {
    Set<Sbdf> seen = new HashSet<>();
    for (int segment : new int[] {0, 1, 0x10000, Integer.MAX_VALUE}) {
      for (int id = 0; id <= Sbdf.LAST_REQUESTER_ID; id += 7) {
        Sbdf f = Sbdf.of(segment, id);
        assertEquals(f.hashCode(), Sbdf.of(segment, id).hashCode());
        seen.add(f);
        seen.add(Sbdf.of(segment, id));
      }
    }
    assertEquals(4 * (Sbdf.LAST_REQUESTER_ID / 7 + 1), seen.size());
    assertNotEquals(Sbdf.of(0, 0), new Object());
  }

  private static Sbdf any(SplittableRandom random) {
    int segment = random.nextInt() >>> 1 + random.nextInt(31);
    return Sbdf.of(segment, random.nextInt(Sbdf.LAST_REQUESTER_ID + 1));
  }
}
