package dev.doorbell.hw.gicits;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.explain.Basis;
import dev.doorbell.explain.Hop;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName(
    "IHI 0069 5.2, 12.19: the walker at the ends of device tables, translation tables and collections")
class ItsWalkerTablesTest {
  private static final long DEVICES = 0x4110_0000L;
  private static final long LEVEL_2 = 0x4200_0000L;
  private static final long COLLECTIONS = 0x4130_0000L;
  private static final long ITT = 0x4150_0000L;
  private static final long VALID = 1L << 63;
  private static final long INDIRECT = 1L << 62;

  /// As QEMU's: 12 bytes an ITE, EventIDs and DeviceIDs of 16 bits.
  private static final long TYPER = 0x1f_0001_efb1L;

  private static final long DEVBITS = 0x1fL << 13;

  private final Map<Long, Long> words = new HashMap<>();
  private final Map<String, Long> registers = new HashMap<>();

  ItsWalkerTablesTest() {
    registers.put("CTLR", 1L);
    registers.put("TYPER", TYPER);
    registers.put("BASER0", baser(1, DEVICES, 0, 0, false));
    registers.put("BASER1", baser(4, COLLECTIONS, 0, 0, false));
    words.put(COLLECTIONS, 1L | 3 << 1);
  }

  private static long baser(int type, long table, int page, int pagesMinusOne, boolean indirect) {
    return VALID
        | (indirect ? INDIRECT : 0)
        | (long) type << 56
        | 7L << 48
        | table
        | (long) page << 8
        | pagesMinusOne;
  }

  /// Maps a device whose entry lies at an address, with EventIDs of 4 bits, and its event 2 to LPI 8200 of collection 0.
  private void device(long dte) {
    words.put(dte, 1L | 3 << 1 | (ITT >> 8) << 6);
    // ITEs have 12 bytes: the third begins at 24.
    words.put(ITT + 24, 3L | 8200L << 2);
    words.put(ITT + 32, 0L);
  }

  private ItsWalk walk(long device, int event) {
    return new ItsWalker(
            "its",
            registers,
            pa -> words.containsKey(pa) ? OptionalLong.of(words.get(pa)) : OptionalLong.empty(),
            "qemu",
            Basis.OBSERVED)
        .walk((int) device, event);
  }

  private void reaches(long device) {
    ItsWalk walk = walk(device, 2);
    assertEquals(ItsWalk.Outcome.TRANSLATED, walk.outcome(), walk.hops()::toString);
    assertEquals(OptionalInt.of(8200), walk.intid());
    assertEquals(OptionalInt.of(3), walk.target());
  }

  private void ends(ItsWalk walk, ItsWalk.Outcome outcome, String at, String why) {
    Hop last = walk.hops().getLast();
    assertEquals(outcome, walk.outcome(), walk.hops()::toString);
    assertTrue(last.at().contains(at) && last.why().contains(why), last::toString);
  }

  @ParameterizedTest(name = "page size {0}, {1} pages: {2} devices")
  @CsvSource({"0, 1, 512", "0, 3, 1536", "1, 2, 4096", "2, 1, 8192"})
  @DisplayName("a flat table holds what its pages hold, and no entry more")
  void flat(int page, int pages, int devices) {
    registers.put("BASER0", baser(1, DEVICES, page, pages - 1, false));
    device(DEVICES + (devices - 1) * 8L);
    reaches(devices - 1);
    ends(walk(devices, 2), ItsWalk.Outcome.DROPPED, "device table", "the table ends before");
  }

  @ParameterizedTest(name = "page size {0}")
  @CsvSource({"0, 512", "1, 2048", "2, 8192"})
  @DisplayName(
      "two levels: a slot a page of entries; the level-2 address is aligned to a page; a slot not valid has none")
  void indirect(int page, int perPage) {
    registers.put("BASER0", baser(1, DEVICES, page, 0, true));
    // Address bits below the page's size, which are RES0, are set.
    words.put(DEVICES + 8, VALID | LEVEL_2 | (page == 0 ? 0 : 0x1000));
    words.put(DEVICES, LEVEL_2);
    device(LEVEL_2 + 7 * 8L);
    reaches(perPage + 7);
    ends(walk(7, 2), ItsWalk.Outcome.DROPPED, "level 1", "there is no level-2 page");
    ends(walk(2L * perPage, 2), ItsWalk.Outcome.CANNOT_SEE, "level 1", "is not there to be read");
  }

  @Test
  @DisplayName("two levels end where the first level's pages end")
  void levelOneEnds() {
    registers.put("TYPER", TYPER | DEVBITS);
    registers.put("BASER0", baser(1, DEVICES, 0, 0, true));
    words.put(DEVICES + 511 * 8, VALID | LEVEL_2);
    device(LEVEL_2 + 511 * 8);
    reaches(511 * 512 + 511);
    ends(walk(512 * 512, 2), ItsWalk.Outcome.DROPPED, "device table", "the table ends before");
  }

  @ParameterizedTest(name = "{0} bits")
  @CsvSource({"1", "8", "16", "20"})
  @DisplayName("GITS_TYPER.Devbits bounds DeviceIDs, however large the table is")
  void deviceBits(int bits) {
    registers.put("TYPER", TYPER & ~DEVBITS | (bits - 1L) << 13);
    registers.put("BASER0", baser(1, DEVICES, 2, 255, false));
    long last = (1L << bits) - 1;
    device(DEVICES + last * 8);
    device(DEVICES + (last + 1) * 8);
    reaches(last);
    ends(
        walk(last + 1, 2),
        ItsWalk.Outcome.DROPPED,
        "GITS_TYPER",
        "a DeviceID has %d bits".formatted(bits));
  }

  @Test
  @DisplayName(
      "EventIDs end with the device's table; an entry of which half was not recorded cannot be seen")
  void events() {
    device(DEVICES);
    reaches(0);
    ends(walk(0, 16), ItsWalk.Outcome.DROPPED, "DTE", "EventIDs of 4 bits");
    ends(walk(0, 15), ItsWalk.Outcome.CANNOT_SEE, "ITE", "is not there to be read");
    // Event 1 begins in the upper half of a quadword and ends in the next.
    words.put(ITT + 8, 3L << 32);
    ends(walk(0, 1), ItsWalk.Outcome.CANNOT_SEE, "ITE", "is not there to be read");
    words.put(ITT + 24, 1L | 8200L << 2);
    ends(walk(0, 2), ItsWalk.Outcome.CANNOT_SEE, "ITE", "a virtual interrupt");
  }

  @Test
  @DisplayName("collections: not mapped, held by the ITS itself, beyond their table")
  void collections() {
    device(DEVICES);
    words.put(COLLECTIONS, 3L << 1);
    ends(walk(0, 2), ItsWalk.Outcome.DROPPED, "CTE", "the collection is not mapped");
    words.put(ITT + 32, 0L);
    words.put(ITT + 24, 3L | 8200L << 2 | 512L << 32);
    ends(walk(0, 2), ItsWalk.Outcome.DROPPED, "collection table", "the table ends before");
    words.put(ITT + 24, 3L | 8200L << 2 | 3L << 32);
    registers.put("TYPER", TYPER | 4L << 24);
    ends(walk(0, 2), ItsWalk.Outcome.CANNOT_SEE, "CTE", "GITS_TYPER.HCC");
    words.put(ITT + 24, 3L | 8200L << 2 | 4L << 32);
    words.put(COLLECTIONS + 32, 1L | 3 << 1);
    reaches(0);
  }

  @Test
  @DisplayName(
      "no table, entries of another size, Redistributors by address: told, and never guessed at")
  void otherShapes() {
    device(DEVICES);
    registers.put("BASER0", baser(1, DEVICES, 0, 0, false) & ~VALID);
    ends(walk(0, 2), ItsWalk.Outcome.DROPPED, "device table", "there is no table");
    registers.put("BASER0", baser(1, DEVICES, 0, 0, false) | 8L << 48);
    ends(walk(0, 2), ItsWalk.Outcome.CANNOT_SEE, "device table", "do not have the 8 bytes");
    registers.put("BASER0", baser(1, DEVICES, 0, 0, false));
    registers.put("TYPER", TYPER | 1L << 19);
    ends(walk(0, 2), ItsWalk.Outcome.CANNOT_SEE, "GITS_TYPER", "PTA is 1");
  }
}
