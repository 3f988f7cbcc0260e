package dev.doorbell.hw.smmuv3;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.simple.PlainMemory;
import dev.doorbell.testkit.Property;
import dev.doorbell.testkit.SeededRandom;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SteUpdateTest {
  private static final long AT = 0x1000;

  private final PlainMemory memory = new PlainMemory(0, 0x2000);
  private int syncs;

  /// Writes an entry over another and checks what hardware could see after every single write.
  private boolean update(long[] from, long[] to, boolean mayBreak) {
    memory.onWrite((pa, before, after) -> {});
    store(from);
    syncs = 0;
    long[] seenNow = seen(from);
    long[] seenThen = seen(to);
    long[] invalid = seen(new long[SteLayout.QUADWORDS]);
    memory.onWrite((pa, before, after) -> {
      long[] seen = seen(SteUpdate.read(memory, AT));
      boolean fine =
          Arrays.equals(seen, seenNow)
              || Arrays.equals(seen, seenThen)
              || (mayBreak && Arrays.equals(seen, invalid));
      assertTrue(fine, () -> "hardware could see " + hex(seen) + " on the way to " + hex(seenThen));
    });
    boolean hitless = SteUpdate.write(memory, AT, to, () -> syncs++);
    assertArrayEquals(to, SteUpdate.read(memory, AT));
    return hitless;
  }

  private static long[] seen(long[] entry) {
    long[] used = SteUpdate.used(entry);
    long[] seen = new long[entry.length];
    Arrays.setAll(seen, i -> entry[i] & used[i]);
    return seen;
  }

  private void store(long[] entry) {
    for (int i = 0; i < entry.length; i++) {
      memory.write64(AT + 8L * i, entry[i]);
    }
  }

  private static long[] entry(String kind) {
    return switch (kind) {
      case "invalid" -> new long[8];
      case "abort" -> StreamTableEntries.abort();
      case "bypass" -> StreamTableEntries.bypass();
      case "s1" -> new long[] {0x4312900bL, 0x80000d6L, 0, 0, 0, 0, 0, 0};
      case "other-s1" -> new long[] {0x4313f00bL, 0x80000d6L, 0, 0, 0, 0, 0, 0};
      case "s2" -> new long[] {0xd, 1L << 44, 0x44c359400000004L, 0x4375b000, 0, 0, 0, 0};
      case "other-s2" -> new long[] {0xd, 1L << 44, 0x44c359400000005L, 0x4385b000, 0, 0, 0, 0};
      default -> throw new IllegalArgumentException(kind);
    };
  }

  // spotless:off
  @ParameterizedTest(name = "{0} to {1}")
  @DisplayName("From each kind of entry to each other: old or new in the used bits after every write; the count of syncs")
  @CsvSource({
    "invalid, abort, true, 1",    "abort, invalid, true, 1",
    "invalid, s1, true, 2",       "s1, invalid, true, 2",
    "invalid, s2, true, 2",       "s2, invalid, true, 2",
    "abort, bypass, true, 2",     "bypass, abort, true, 2",
    "abort, s1, true, 2",         "s1, abort, true, 2",
    "abort, s2, true, 2",         "s2, abort, true, 2",
    "bypass, s1, true, 3",        "s1, bypass, true, 3",
    "bypass, s2, true, 2",        "s2, bypass, true, 2",
    "s1, other-s1, true, 1",      "s1, s1, true, 0",
    "s1, s2, false, 3",           "s2, s1, false, 3",
    "s2, other-s2, false, 3",
  })
  // spotless:on
  void transitions(String from, String to, boolean hitless, int expectedSyncs) {
    assertEquals(hitless, update(entry(from), entry(to), !hitless));
    assertEquals(expectedSyncs, syncs);
  }

  @Test
  @DisplayName(
      "Between any two entries no third one is ever seen, except an invalid one where the change is not hitless")
  void anyEntries() {
    Property.check(
        "STE update",
        3000,
        random -> {
          long[] from = random(random);
          long[] to = random.oneIn(2) ? random(random) : changed(from, random);
          boolean hitless = update(from, to, true);
          if (hitless) {
            assertTrue(update(from, to, false));
          }
        });
  }

  private static long[] random(SeededRandom random) {
    long[] entry = new long[SteLayout.QUADWORDS];
    Arrays.setAll(entry, i -> random.oneIn(3) ? 0 : ~random.nextLong() & random.nextLong());
    entry[0] = SteLayout.V.with(entry[0], random.oneIn(6) ? 0 : 1);
    entry[0] = SteLayout.CONFIG.with(entry[0], random.pick(List.of(0, 4, 5, 6, 7)));
    return entry;
  }

  private static long[] changed(long[] from, SeededRandom random) {
    long[] to = from.clone();
    to[random.below(to.length)] ^= 1L << random.below(64);
    return to;
  }

  private static String hex(long[] words) {
    return Arrays.stream(words).mapToObj(Long::toHexString).toList().toString();
  }
}
