package dev.doorbell.hw.riscviommu;

import static dev.doorbell.hw.riscviommu.RawTables.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.Translator;
import dev.doorbell.fuzz.WalkCheck;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("AIA 1.0, 9.3 and 9.5.2: interrupt files in memory (MRIF), by raw numbers")
class ResidentFilesTest {
  private static final long PAGE = 0x2800_0000L;
  private static final long FILE = MEMORY + 0x9_0200;
  private static final long NOTICE = MEMORY + 0xa_0000;
  private static final int NID = 0x5a7;
  private static final long SECOND = NOTICE >>> 2 | 1L << 60 | NID & 0x3ff;

  private RawTables t = new RawTables();

  ResidentFilesTest() {
    start(1);
  }

  private void start(long tc) {
    t.mode(2);
    t.context(ROOT, tc, atp(8, G), 0, 0, atp(1, MSI), 1, PAGE >>> 12);
    entry(file(FILE), SECOND);
  }

  private static long file(long address) {
    return address >>> 9 << 7 | 1 | 1 << 1;
  }

  private void entry(long first, long second) {
    t.memory.write64(MSI, first);
    t.memory.write64(MSI + 8, second);
  }

  private BusOutcome send(long offset, int data) {
    return t.model.message(0, PAGE + offset, Integer.toUnsignedLong(data), 4);
  }

  private boolean pending(int identity) {
    return (t.memory.read64(FILE + identity / 64 * 16L) >>> identity & 1) != 0;
  }

  private int notice() {
    int there = (int) t.memory.read(NOTICE, 4);
    t.memory.write64(NOTICE, 0);
    return there;
  }

  @Test
  @DisplayName(
      "a message in either byte order becomes a pending bit, and a notice whatever is enabled; 0 is an identity like others")
  void recorded() {
    assertEquals(Translator.MESSAGE, t.write(0, PAGE));
    for (int identity : new int[] {0, 1, 63, 64, 1000, 2047}) {
      assertEquals(BusOutcome.OK, send(0, identity));
      assertTrue(pending(identity), "identity " + identity);
      assertEquals(NID, notice());
    }
    assertEquals(BusOutcome.OK, send(4, Integer.reverseBytes(0x300)));
    assertTrue(pending(0x300), "big-endian");
    assertEquals(NID, notice());
    assertEquals(0, t.memory.read64(FILE + 8), "enable bits are software's");
    assertEquals(0, t.cause());
  }

  @Test
  @DisplayName(
      "what is no message is discarded, and what is no aligned write of 32 bits aborted; reads find zero")
  void discarded() {
    assertEquals(BusOutcome.OK, send(8, 5));
    assertEquals(BusOutcome.OK, send(0, 2048));
    assertEquals(BusOutcome.OK, send(4, 5), "big-endian 5 is a large identity");
    assertEquals(BusOutcome.ERROR, t.model.message(0, PAGE, 5, 8));
    assertEquals(BusOutcome.ERROR, t.model.message(0, PAGE, 5, 2));
    assertEquals(BusOutcome.ERROR, send(2, 5));
    assertEquals(Translator.MESSAGE, t.read(0, PAGE));
    for (long at = 0; at < 0x200; at += 8) {
      assertEquals(0, t.memory.read64(FILE + at));
    }
    assertEquals(0, notice());
    assertEquals(0, t.cause());
  }

  @Test
  @DisplayName(
      "a file outside memory is a fault of the access (264); a notice that nobody takes one of the IOMMU (273)")
  void faults() {
    entry(file(0x1000), SECOND);
    assertEquals(BusOutcome.ERROR, send(0, 5));
    assertEquals(264, t.cause());
    assertEquals(3L << 34 | 264, t.record(0));
    assertEquals(PAGE, t.record(2));
    entry(file(FILE), 0x2000 >>> 2);
    assertEquals(BusOutcome.OK, send(0, 5));
    assertEquals(273, t.cause());
    assertEquals(273, t.record(0), "not caused by an inbound transaction");
    assertEquals(0x2000, t.record(2));
    assertTrue(pending(5));
  }

  @Test
  @DisplayName(
      "reserved bits are misconfigured (263), and so is the mode without capabilities.MSI_MRIF")
  void misconfigured() {
    long[][] broken = {
      {file(FILE) | 1 << 3, SECOND},
      {file(FILE) | 1L << 54, SECOND},
      {file(FILE) | 1L << 63, SECOND},
      {file(FILE), SECOND | 1L << 54},
      {file(FILE), SECOND | 1L << 61},
    };
    for (long[] words : broken) {
      entry(words[0], words[1]);
      assertEquals(BusOutcome.ERROR, send(0, 5));
      assertEquals(263, t.cause());
    }
    t = new RawTables(RiscvIommuFeatures.usual(48).without(1L << 23));
    start(1);
    assertEquals(BusOutcome.ERROR, send(0, 5));
    assertEquals(263, t.cause());
  }

  @Test
  @DisplayName(
      "an entry in this mode is not cached: a file that comes back to a hart takes messages at once")
  void notCached() {
    assertEquals(BusOutcome.OK, send(0, 5));
    long page = MEMORY + 0xb_0000;
    entry(pte(page, 7), 0);
    assertEquals(page, t.write(0, PAGE));
    assertEquals(BusOutcome.OK, send(0, 9), "a message under way when the entry changed");
    assertEquals(9, t.memory.read(page, 4));
  }

  @Test
  @DisplayName("5: the debug interface has no address for one (260)")
  void debug() {
    t.set(0x258, PAGE, 8);
    t.set(0x260, 1, 8);
    assertEquals(1, t.get(0x268, 8) & 1);
    assertEquals(260, t.cause());
    start(1 | 1 << 4);
    t.command(3, 0);
    t.set(0x260, 1, 8);
    assertEquals(1, t.get(0x268, 8) & 1);
    assertEquals(0, t.cause(), "DTF");
  }

  @Test
  @DisplayName(
      "without atomic updates a message is recorded all the same; with them none of several threads is lost")
  void updates() {
    IntStream.range(0, 2048)
        .parallel()
        .forEach(identity -> assertEquals(BusOutcome.OK, send(0, identity)));
    for (int identity = 0; identity < 2048; identity++) {
      assertTrue(pending(identity), "identity " + identity);
    }
    t = new RawTables(RiscvIommuFeatures.usual(48).without(1L << 21));
    start(1);
    assertEquals(BusOutcome.OK, send(0, 77));
    assertTrue(pending(77));
  }

  @Test
  @DisplayName("the walker tells the file and its notice")
  void walker() {
    RiscvIommuWalk walk =
        new RiscvIommuWalker(
                "iommu",
                Map.of("ddtp", t.get(0x10, 8), "capabilities", t.get(0, 8)),
                WalkCheck.view(t.memory))
            .walk(0, new Iova(PAGE), true);
    assertEquals(
        new RiscvIommuWalk.ResidentFile(new Pa(FILE), new Pa(NOTICE), NID),
        walk.file().orElseThrow());
    assertTrue(walk.stoppedAt().isEmpty() && walk.output().isEmpty());
  }
}
