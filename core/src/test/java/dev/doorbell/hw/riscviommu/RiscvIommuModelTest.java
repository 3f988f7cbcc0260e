package dev.doorbell.hw.riscviommu;

import static dev.doorbell.hw.riscviommu.RawTables.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import dev.doorbell.bus.Translator;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("RISC-V IOMMU 1.0: the model, by tables of raw numbers")
class RiscvIommuModelTest {
  private static final long FAULT = Translator.FAULT;
  private static final long RW = 0xd7;
  private static final long READ_ONLY = 0x53;
  private static final long TARGET = 0x9000_1000L;

  @Test
  @DisplayName(
      "2.3: Off lets nothing pass (256), Bare everything, and what is no mode is not taken")
  void modes() {
    RawTables t = new RawTables();
    assertEquals(FAULT, t.write(1, 0x1000));
    assertEquals(256, t.cause());
    t.mode(1);
    assertEquals(0x1234, t.write(1, 0x1234));
    t.mode(7);
    assertEquals(1, t.get(0x10, 8) & 0xf);
  }

  @Test
  @DisplayName("3.1.3.1: IOFENCE.C that writes the queue's own tail is executed once")
  void fenceToOwnTail() {
    RawTables t = new RawTables();
    t.command(2L | 1 << 10 | 2L << 32, REGISTERS + 0x24 >>> 2);
    assertEquals(2, t.get(0x24, 4));
    assertEquals(1, t.get(0x20, 4), "the next command is none");
    assertEquals(1 << 10, t.get(0x48, 4) & 0x700, "cmd_ill");
  }

  @Test
  @DisplayName("2.3.1: one, two and three levels, contexts of 32 and 64 bytes")
  void directories() {
    for (boolean extended : new boolean[] {false, true}) {
      for (int levels = 1; levels <= 3; levels++) {
        RiscvIommuFeatures all = RiscvIommuFeatures.usual(48);
        RawTables t = new RawTables(extended ? all : all.without(1L << 22));
        int first = extended ? 6 : 7;
        int device = levels == 1 ? 0x2a : levels == 2 ? 0x1aa : 0x81_02aa;
        long table = ROOT;
        for (int level = levels - 1; level > 0; level--) {
          long next = level == 2 ? MIDDLE : LEAF;
          int index = device >>> (first + 9 * (level - 1)) & 0x1ff;
          t.memory.write64(table + 8L * index, next >>> 2 | 1);
          table = next;
        }
        t.context(table + (device & (1 << first) - 1) * (extended ? 64L : 32L), 1);
        t.mode(levels + 1);
        assertEquals(0x5000, t.write(device, 0x5000), extended + " " + levels);
        int wide = 1 << (levels == 3 ? 24 : first + 9 * (levels - 1));
        assertEquals(FAULT, t.write(device | wide, 0x5000));
        assertEquals(260, t.cause(), extended + " " + levels);
      }
    }
  }

  @Test
  @DisplayName("2.3.1: causes 257, 258 and 259 of directory entries and contexts")
  void directoryCauses() {
    RawTables t = new RawTables();
    t.mode(3);
    assertEquals(FAULT, t.write(0x40, 0));
    assertEquals(258, t.cause());
    t.memory.write64(ROOT + 8, LEAF >>> 2 | 3);
    assertEquals(FAULT, t.write(0x40, 0));
    assertEquals(259, t.cause());
    t.memory.write64(ROOT + 8, 0x1000 >>> 2 | 1);
    assertEquals(FAULT, t.write(0x40, 0));
    assertEquals(257, t.cause());
    t.memory.write64(ROOT + 8, LEAF >>> 2 | 1);
    assertEquals(FAULT, t.write(0x40, 0));
    assertEquals(258, t.cause());
    assertEquals(3L << 34 | 0x40L << 40 | 258, t.record(0), "TTYP and DID");
  }

  @Test
  @DisplayName("first stage: pages, rights, canonical addresses, A, D and U; causes 13 and 15")
  void firstStage() {
    RawTables t = firstStage(RW);
    assertEquals(TARGET | 0x40, t.write(0, 0x4000_1040L));
    assertEquals(FAULT, t.write(0, 0x4000_2000L));
    assertEquals(15, t.cause());
    assertEquals(0x4000_2000L, t.record(2), "iotval");
    assertEquals(FAULT, t.read(0, 1L << 38));
    assertEquals(13, t.cause());
    for (long bits :
        new long[] {
          RW & ~0x80, RW & ~0x40, RW & ~0x10, RW & ~2, RW | 1L << 54, RW | 1L << 63, RW | 3L << 61
        }) {
      RawTables u = firstStage(bits);
      assertEquals(FAULT, u.write(0, 0x4000_1000L), Long.toHexString(bits));
      assertEquals(15, u.cause());
    }
    RawTables r = firstStage(READ_ONLY);
    assertEquals(TARGET, r.read(0, 0x4000_1000L));
    assertEquals(FAULT, r.write(0, 0x4000_1000L));
  }

  private static RawTables firstStage(long bits) {
    RawTables t = new RawTables();
    t.mode(2);
    t.context(ROOT, 1, 0, 5L << 12, atp(8, S1));
    t.sv39(S1, 0x4000_1000L, pte(TARGET, bits));
    return t;
  }

  @Test
  @DisplayName(
      "tables outside memory: access faults 5 and 7; DTF keeps them from being recorded, not from failing")
  void accessFaults() {
    for (long dtf : new long[] {0, 0x10}) {
      RawTables t = new RawTables();
      t.mode(2);
      t.context(ROOT, 1 | dtf, 0, 0, atp(8, 0x1000));
      assertEquals(FAULT, t.write(0, 0));
      assertEquals(dtf == 0 ? 7 : 0, t.cause());
      assertEquals(FAULT, t.read(0, 0));
      assertEquals(dtf == 0 ? 5 : 0, t.cause());
    }
  }

  @Test
  @DisplayName(
      "second stage: x4 roots, both stages together, guest-page faults with their address (21, 23)")
  void secondStage() {
    RawTables t = new RawTables();
    t.mode(2);
    t.context(ROOT, 1, atp(8, G) | 3L << 44, 0, 0);
    long gpa = 0x180_0000_1000L;
    t.sv39(G, gpa, pte(TARGET, RW));
    assertEquals(TARGET | 8, t.write(0, gpa | 8));
    assertEquals(FAULT, t.write(0, gpa + 0x1000));
    assertEquals(23, t.cause());
    assertEquals(gpa + 0x1000, t.record(3));
    assertEquals(FAULT, t.read(0, 1L << 41));
    assertEquals(21, t.cause());
    t.context(ROOT + 64, 1, atp(8, G), 0, atp(8, 0x5_0000_0000L));
    assertEquals(FAULT, t.write(1, 0));
    assertEquals(23, t.cause());
    assertEquals(0x5_0000_0000L | 1, t.record(3), "an implicit access");
  }

  @Test
  @DisplayName(
      "2.3.3: MSI page tables: mask and pattern, basic entries, causes 261 to 263; other addresses pass the second stage")
  void messages() {
    RawTables t = new RawTables();
    t.mode(2);
    long pattern = 0x28000;
    long mask = 0x1003;
    t.context(ROOT, 1, atp(8, G), 0, 0, atp(1, MSI), mask, pattern);
    t.memory.write64(MSI + 16 * 6, pte(0x2400_0000L, 7));
    assertEquals(0x2400_0000L, t.write(0, 0x2900_2000L), "page 0x29002: extract gives 4 + 2");
    assertEquals(FAULT, t.write(0, 0x2800_1000L));
    assertEquals(262, t.cause());
    t.memory.write64(MSI + 16, 1 | 2 << 1);
    assertEquals(FAULT, t.write(0, 0x2800_1000L));
    assertEquals(263, t.cause(), "a reserved mode");
    t.memory.write64(MSI + 16, pte(0x2400_1000L, 7) | 1 << 3);
    assertEquals(FAULT, t.write(0, 0x2800_1000L));
    assertEquals(263, t.cause());
    assertEquals(FAULT, t.write(0, 0x2800_4000L));
    assertEquals(23, t.cause(), "not an interrupt file's page");
    t.context(ROOT + 64, 1, atp(8, G), 0, 0, atp(1, 0x1000), mask, pattern);
    assertEquals(FAULT, t.write(1, 0x2800_0000L));
    assertEquals(261, t.cause());
  }

  @Test
  @DisplayName(
      "2.3.3: a large page of the second stage does not hide the interrupt files in it, when it is cached neither")
  void largePages() {
    RawTables t = new RawTables();
    t.mode(2);
    t.context(ROOT, 1, atp(8, G), 0, 0, atp(1, MSI), 1, 0x40004);
    t.memory.write64(MSI, pte(0x2400_0000L, 7));
    t.memory.write64(G + 8, pte(0x8000_0000L, RW));
    assertEquals(0x8000_0000L, t.write(0, 0x4000_0000L));
    assertEquals(0x8020_0000L, t.write(0, 0x4020_0000L), "beside the files' 2 MiB");
    assertEquals(0x2400_0000L, t.write(0, 0x4000_4000L));
    assertEquals(FAULT, t.write(0, 0x4000_5000L));
    assertEquals(262, t.cause());
    assertEquals(0x8000_6000L, t.write(0, 0x4000_6000L));
  }

  @Test
  @DisplayName(
      "2.7: what is cached stays until the command that names it; what is not valid is never cached")
  void caches() {
    RawTables t = firstStage(RW);
    assertEquals(FAULT, t.write(0, 0x4000_3000L));
    t.sv39(S1, 0x4000_3000L, pte(TARGET, RW));
    assertEquals(TARGET, t.write(0, 0x4000_3000L), "an invalid entry was not cached");
    t.sv39(S1, 0x4000_3000L, 0);
    assertEquals(TARGET, t.write(0, 0x4000_3000L), "stale");
    t.command(1 | 1 << 10 | 6L << 12 | 1L << 32, 0x4000_3000L >>> 2);
    assertEquals(TARGET, t.write(0, 0x4000_3000L), "another PSCID");
    t.command(1 | 1 << 10 | 5L << 12 | 1L << 32, 0x4000_3000L >>> 2);
    assertEquals(FAULT, t.write(0, 0x4000_3000L));
    t.context(ROOT, 0);
    assertEquals(TARGET, t.write(0, 0x4000_1000L), "the context is cached");
    t.command(3 | 1L << 33 | 9L << 40, 0);
    assertEquals(TARGET, t.write(0, 0x4000_1000L), "another device");
    t.command(3 | 1L << 33, 0);
    assertEquals(FAULT, t.write(0, 0x4000_1000L));
  }

  @Test
  @DisplayName(
      "4.1.1: a command with an address forgets leaf entries only: a table that was unlinked is still used")
  void tablePointers() {
    RawTables t = firstStage(RW);
    assertEquals(TARGET, t.write(0, 0x4000_1000L));
    t.memory.write64(S1 + 0x4000, 0);
    t.command(1 | 1 << 10 | 5L << 12 | 1L << 32, 0x4000_1000L >>> 2);
    assertEquals(TARGET, t.write(0, 0x4000_1000L), "by the cached pointer");
    t.command(1 | 5L << 12 | 1L << 32, 0);
    assertEquals(FAULT, t.write(0, 0x4000_1000L));
  }

  @Test
  @DisplayName("4.1: second stages and MSI entries go by IOTINVAL.GVMA and their GSCID")
  void guestCaches() {
    RawTables t = new RawTables();
    t.mode(2);
    t.context(ROOT, 1, atp(8, G) | 3L << 44, 0, 0);
    t.sv39(G, 0x1000, pte(TARGET, RW));
    assertEquals(TARGET, t.write(0, 0x1000));
    t.sv39(G, 0x1000, 0);
    t.command(1 | 1 << 7 | 1L << 33 | 4L << 44, 0);
    assertEquals(TARGET, t.write(0, 0x1000));
    t.command(1, 0);
    assertEquals(TARGET, t.write(0, 0x1000), "the host's first stages only");
    t.command(1 | 1 << 7 | 1L << 33 | 3L << 44, 0);
    assertEquals(FAULT, t.write(0, 0x1000));
  }

  @Test
  @DisplayName(
      "4.1: commands that are not legal stop the queue until cmd_ill is cleared; a fetch that fails sets cqmf")
  void illegalCommands() {
    long[][] illegal = {
      {0},
      {5},
      {4},
      {1 | 2 << 7},
      {1 | 1 << 11},
      {1 | 1 << 7 | 1L << 32},
      {1 | 1L << 34},
      {1, 1 << 9},
      {2 | 1 << 7},
      {2 | 1 << 11},
      {2 | 1 << 14},
      {3 | 1 << 7},
      {3 | 2 << 7 | 1L << 33},
      {3 | 1 << 7 | 1L << 33 | 0x40L << 40},
      {3 | 1 << 12},
      {3, 1},
      {3 | 1L << 33 | 0x40L << 40},
    };
    for (long[] c : illegal) {
      RawTables t = new RawTables();
      t.mode(2);
      t.command(c[0], c.length > 1 ? c[1] : 0);
      assertEquals(1 << 10, t.get(0x48, 4) & 0xf00, Long.toHexString(c[0]));
      assertEquals(0, t.get(0x20, 4), "cqh is at the command");
      t.memory.write64(CQ, 2);
      t.memory.write64(CQ + 8, 0);
      t.set(0x48, 1 | 1 << 10, 4);
      assertEquals(1, t.get(0x20, 4));
    }
    RawTables t = new RawTables();
    t.set(0x48, 0, 4);
    t.set(0x18, 0x1000 >>> 2 | 3, 8);
    t.set(0x48, 1, 4);
    t.set(0x24, 1, 4);
    assertEquals(1 << 8, t.get(0x48, 4) & 0xf00);
  }

  @Test
  @DisplayName("4.1.2: IOFENCE.C writes its datum")
  void fence() {
    RawTables t = new RawTables();
    t.command(2 | 1 << 10 | 0x1234_5678L << 32, (MEMORY + 0x100) >>> 2);
    assertEquals(0x1234_5678L, t.memory.read64(MEMORY + 0x100));
  }

  @Test
  @DisplayName("4.2: a full fault queue sets fqof and records nothing more until it is cleared")
  void faultQueue() {
    RawTables t = new RawTables();
    for (int i = 0; i < 5; i++) {
      t.write(i, 0);
    }
    assertEquals(3, t.get(0x34, 4));
    assertEquals(1 << 9, t.get(0x4c, 4) & 0xf00);
    assertEquals(256, t.cause());
    t.write(7, 0);
    assertEquals(3, t.get(0x34, 4));
    t.set(0x4c, 1 | 1 << 9, 4);
    t.write(8, 0);
    assertEquals(0, t.get(0x34, 4));
  }

  @Test
  @DisplayName("6.15, 6.25, 6.26: a fault sends the message of its vector once; a masked one waits")
  void ownMessages() {
    RawTables t = new RawTables();
    t.set(0x4c, 3, 4);
    t.set(0x2f8, 2 << 4, 8);
    t.set(0x320, MEMORY + 0x200, 8);
    t.set(0x328, 0x77, 4);
    t.set(0x32c, 1, 4);
    t.write(0, 0);
    assertEquals(2, t.get(0x54, 4));
    assertEquals(0, t.memory.read64(MEMORY + 0x200));
    t.set(0x32c, 0, 4);
    assertEquals(0x77, t.memory.read64(MEMORY + 0x200));
    t.memory.write64(MEMORY + 0x200, 0);
    t.write(0, 0);
    assertEquals(0, t.memory.read64(MEMORY + 0x200), "pending still");
    t.set(0x54, 2, 4);
    t.write(0, 0);
    assertEquals(0x77, t.memory.read64(MEMORY + 0x200));
  }

  @Test
  @DisplayName(
      "5: the debug interface translates for software, and records the fault of one that fails")
  void debug() {
    RawTables t = firstStage(RW);
    t.set(0x258, 0x4000_1000L, 8);
    t.set(0x260, 1, 8);
    assertEquals(TARGET >>> 2, t.get(0x268, 8));
    assertEquals(0, t.get(0x260, 8) & 1);
    t.set(0x258, 0x4000_9000L, 8);
    t.set(0x260, 1 | 1 << 3, 8);
    assertEquals(1, t.get(0x268, 8) & 1);
    assertEquals(13, t.cause());
  }

  @Test
  @DisplayName("a process_id is not allowed without a process directory (260)")
  void processes() {
    RawTables t = firstStage(RW);
    assertEquals(FAULT, t.model.translate(0, 5, 0x4000_1000L, 1));
    assertEquals(260, t.cause());
    assertEquals(5L << 12 | 1L << 32, t.record(0) & 0x1_ffff_f000L);
    assertNotEquals(FAULT, t.write(0, 0x4000_1000L));
  }

  @Test
  @DisplayName("6.15: fip comes back while fqof stays")
  void insistentFaults() {
    RawTables t = new RawTables();
    t.set(0x4c, 3, 4);
    for (int i = 0; i < 4; i++) {
      assertEquals(-1, t.write(1, 0x1000));
    }
    assertEquals(2, t.get(0x54, 4));
    t.set(0x54, 2, 4);
    assertEquals(2, t.get(0x54, 4));
    t.set(0x30, 2, 4);
    t.set(0x4c, 0x203, 4);
    t.set(0x54, 2, 4);
    assertEquals(0, t.get(0x54, 4));
  }
}
