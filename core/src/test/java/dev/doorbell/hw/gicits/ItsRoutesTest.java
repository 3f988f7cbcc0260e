package dev.doorbell.hw.gicits;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bus.BusErrorException;
import dev.doorbell.testkit.Property;
import dev.doorbell.testkit.SeededRandom;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What the model keeps of its tables, and until when.
class ItsRoutesTest {
  private static final int DEVICE = 0x100;
  private static final long EDITIONS = 1L << 23;

  private static RawIts fired() {
    RawIts raw = new RawIts(2, ItsConfig.QEMU).enableLpis().enableIts(false);
    raw.mapc(0, 0);
    raw.mapc(1, 1);
    raw.mapd(DEVICE, 3, RawIts.ITT);
    raw.mapti(DEVICE, 4, 8206, 0);
    raw.fire(DEVICE, 4);
    assertTrue(raw.isPending(0, 8206));
    raw.memory.write64(RawIts.pendingTable(0) + 8206 / 64 * 8, 0);
    return raw;
  }

  /// Another INTID for event 4, written past the ITS.
  private static void tamper(RawIts raw) {
    raw.memory.write(RawIts.ITT + 4 * 12, 8207 << 2 | 3, 4);
  }

  @Test
  @DisplayName(
      "IHI 0069 5.2: the ITS keeps what it read: a table that is changed without a command is not seen, so that a forgotten command shows")
  void keeps() {
    RawIts raw = fired();
    tamper(raw);
    raw.fire(DEVICE, 4);
    assertTrue(raw.isPending(0, 8206));
    assertFalse(raw.isPending(0, 8207));
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "MAPD of another device,      0x00010008, 0,     0x8000000041501000, true",
    "MAPC of another collection,  0x00000009, 0,     0x8000000000010001, true",
    "MAPTI of another event,      0x10a,      5,     1,                  true",
    "DISCARD of another event,    0x10f,      3,     0,                  true",
    "INT,                         0x103,      3,     0,                  false",
    "CLEAR,                       0x104,      3,     0,                  false",
    "INV,                         0x10c,      3,     0,                  false",
    "INVALL,                      0x00d,      0,     0,                  false",
    "MOVALL,                      0x00e,      0,     0,                  false",
    "SYNC,                        0x005,      0,     0,                  false"
  })
  @DisplayName(
      "IHI 0069 5.3: a command that changes a table makes the ITS read all of them anew; others leave what it keeps")
  void commands(String name, String word0, long word1, String word2, boolean anew) {
    RawIts raw = fired();
    raw.mapti(DEVICE, 3, 8300, 1);
    raw.fire(DEVICE, 4);
    raw.memory.write64(RawIts.pendingTable(0) + 8206 / 64 * 8, 0);
    tamper(raw);
    long first = Long.decode(word0);
    boolean ofDevice = first >>> 8 == 1;
    raw.command(
        ofDevice ? first & 0xff | (long) DEVICE << 32 : first & 0xff,
        ofDevice && name.startsWith("MAPTI") ? 8400L << 32 | word1 : word1,
        Long.parseUnsignedLong(
            word2.substring(word2.startsWith("0x") ? 2 : 0), word2.startsWith("0x") ? 16 : 10));
    assertEquals(0, raw.its.commandErrors(), raw.its::lastCommandError);
    raw.fire(DEVICE, 4);
    assertEquals(anew, raw.isPending(0, 8207));
    assertEquals(!anew, raw.isPending(0, 8206));
  }

  @Test
  @DisplayName(
      "IHI 0069 12.19.5: an ITS that was disabled keeps nothing, as the tables were the software's")
  void disabled() {
    RawIts raw = fired();
    raw.regs.write32(0x0000, 0);
    tamper(raw);
    raw.regs.write32(0x0000, 1);
    raw.fire(DEVICE, 4);
    assertTrue(raw.isPending(0, 8207));
    assertFalse(raw.isPending(0, 8206));
  }

  @Test
  @DisplayName("what a table does not translate is looked for anew with each message")
  void nothingIsNotKept() {
    RawIts raw = fired();
    raw.fire(DEVICE, 6);
    assertEquals(1, raw.its.dropped());
    raw.memory.write(RawIts.ITT + 6 * 12, 8210 << 2 | 3, 4);
    raw.fire(DEVICE, 6);
    assertTrue(raw.isPending(0, 8210));
  }

  @Test
  @DisplayName("LPIs that are switched off and on take messages that are known, into the new table")
  void redistributor() {
    RawIts raw = fired();
    raw.gicr(0).write32(0x0000, 0);
    raw.fire(DEVICE, 4);
    assertEquals(1, raw.gic.lostLpis());
    long elsewhere = RawIts.PENDING + 8 * RawIts.PENDING_STRIDE;
    raw.gicr(0).write64(0x0078, elsewhere | 1L << 62);
    raw.gicr(0).write32(0x0000, 1);
    raw.fire(DEVICE, 4);
    assertFalse(raw.isPending(0, 8206));
    assertEquals(1 << 6, raw.memory.read(elsewhere + 8206 / 8, 1));
  }

  private static void deliver(RawIts raw, ItsTranslation tables) {
    int slot = raw.gic.gate().enter();
    try {
      assertTrue(tables.deliver(DEVICE, 4));
    } finally {
      raw.gic.gate().leave(slot);
    }
  }

  @ParameterizedTest(name = "{0} changes later")
  @ValueSource(ints = {1, 2})
  @DisplayName(
      "when the numbers of editions begin anew nothing of the former ones counts, though the change at the turn failed")
  void turnOfEditions(int later) {
    RawIts raw = fired();
    ItsTranslation tables = new ItsTranslation(ItsConfig.QEMU, raw.memory, raw.gic);
    tables.change(() -> {
      tables.setDevices(raw.regs.read64(0x0100));
      tables.setCollections(raw.regs.read64(0x0108));
    });
    // The first edition is number 2: this one is 4.
    deliver(raw, tables);
    assertTrue(raw.isPending(0, 8206));
    raw.memory.write64(RawIts.pendingTable(0) + 8206 / 64 * 8, 0);
    tamper(raw);
    for (long edition = 6; edition < EDITIONS; edition += 2) {
      tables.change(() -> {});
    }
    assertThrows(
        BusErrorException.class, () -> tables.change(() -> raw.memory.write64(0x9000_0000L, 0)));
    for (int i = 0; i < later; i++) {
      tables.change(() -> {});
    }
    deliver(raw, tables);
    assertTrue(raw.isPending(0, 8207));
    assertFalse(raw.isPending(0, 8206));
  }

  private static Consumer<SeededRandom> map(int[] found) {
    return random -> {
      ItsRoutes routes = new ItsRoutes();
      Map<Long, Long> reference = new HashMap<>();
      long edition = 2;
      for (int i = 0; i < 400; i++) {
        long device = random.oneIn(3) ? random.below(4) : random.bits(32);
        long event = random.oneIn(3) ? random.below(200) : random.bits(32);
        long key = device << 32 | event;
        long route = ItsRoutes.of(random.below(0x1_0000), random.bits(24));
        switch (random.below(8)) {
          case 0 -> {
            edition += 2L * random.below(2);
            reference.clear();
            if (random.oneIn(4)) {
              edition += EDITIONS - 2;
              routes.clear();
            }
            edition += ItsRoutes.isLast(edition) || reference.isEmpty() ? 2 : 0;
          }
          case 1, 2, 3, 4 -> {
            routes.keep(device, event, edition, route);
            if (!ItsRoutes.isLast(edition)) {
              reference.put(key, route);
            }
          }
          default -> {}
        }
        for (long asked : reference.keySet()) {
          long there = routes.find(asked >>> 32, asked & 0xffff_ffffL);
          long expected = reference.get(asked);
          assertTrue(ItsRoutes.isOf(there, edition));
          assertFalse(ItsRoutes.isOf(there, edition + 1), "a change under way");
          assertEquals(ItsRoutes.target(expected), ItsRoutes.target(there));
          assertEquals(ItsRoutes.intid(expected), ItsRoutes.intid(there));
          found[0]++;
        }
        if (!reference.containsKey(key)) {
          assertFalse(ItsRoutes.isOf(routes.find(device, event), edition));
        }
      }
    };
  }

  @Test
  @DisplayName("routes are a map of one edition, whatever was kept in others")
  void asMap() {
    int[] found = new int[1];
    Property.check("its routes", 60, map(found)::accept);
    assertTrue(found[0] > 10_000, () -> "only " + found[0] + " were found");
  }

  @Test
  @DisplayName("beyond the room for routes nothing is kept, and nothing is found")
  void room() {
    ItsRoutes routes = new ItsRoutes();
    for (long device = 0; device < 5000; device++) {
      routes.keep(device, 7, 2, ItsRoutes.of(1, 8192 + device));
    }
    int known = 0;
    for (long device = 0; device < 5000; device++) {
      long there = routes.find(device, 7);
      if (ItsRoutes.isOf(there, 2)) {
        assertEquals(8192 + device, ItsRoutes.intid(there));
        known++;
      }
    }
    assertEquals(4096, known);
  }
}
