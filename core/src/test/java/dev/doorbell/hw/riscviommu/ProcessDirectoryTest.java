package dev.doorbell.hw.riscviommu;

import static dev.doorbell.hw.riscviommu.RawTables.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Iova;
import dev.doorbell.bus.Translator;
import dev.doorbell.fuzz.WalkCheck;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("RISC-V IOMMU 1.0, 2.2: process directories, by tables of raw numbers")
class ProcessDirectoryTest {
  private static final long FAULT = Translator.FAULT;
  private static final int NONE = -1;
  private static final long RW = 0xd7;
  private static final long TARGET = 0x9000_1000L;
  private static final long IOVA = 0x4000_1000L;
  private static final long PDT = MEMORY + 0x8_0000;
  private static final long PDTV = 1 << 5;
  private static final long DPE = 1 << 9;
  private static final int[] BITS = {0, 8, 17, 20};

  private final RawTables t = new RawTables();

  ProcessDirectoryTest() {
    t.mode(2);
  }

  /// A device context with a directory, and first-stage tables for its processes.
  private void directory(long bits, int mode) {
    t.context(ROOT, 1 | PDTV | bits, 0, 0, atp(mode, PDT));
    t.sv39(S1, IOVA, pte(TARGET, RW));
  }

  /// Tables that lead to a process, whose context is the caller's.
  private long process(int mode, int process) {
    long table = PDT;
    for (int level = mode - 1; level > 0; level--) {
      long next = table + 0x1000;
      int index = process >>> (level == 2 ? 17 : 8) & 0x1ff;
      t.memory.write64(table + 8L * index, next >>> 2 | 1);
      table = next;
    }
    return table + 16L * (process & 0xff);
  }

  private void context(long at, long ta, long fsc) {
    t.memory.write64(at, ta);
    t.memory.write64(at + 8, fsc);
  }

  private long write(int process) {
    return t.model.translate(0, process, IOVA | 4, Translator.WRITE);
  }

  /// An access that faults in the model, and whose fault the walker tells.
  private void faults(int cause, int process) {
    assertEquals(FAULT, write(process));
    assertEquals(cause, t.cause());
    String told =
        new RiscvIommuWalker(
                "iommu",
                Map.of("ddtp", t.get(0x10, 8), "capabilities", t.get(0, 8)),
                WalkCheck.view(t.memory))
            .walk(
                0,
                process < 0 ? OptionalInt.empty() : OptionalInt.of(process),
                new Iova(IOVA | 4),
                true)
            .stoppedAt()
            .orElse("nothing");
    assertTrue(told.contains("(cause %d)".formatted(cause)) || told.contains("cannot see"), told);
  }

  @Test
  @DisplayName("2.3.2: one, two and three levels lead to a process; wider process_ids are 260")
  void levels() {
    for (int mode = 1; mode <= 3; mode++) {
      directory(0, mode);
      t.command(3, 0);
      int process = (1 << BITS[mode]) - 0x13;
      context(process(mode, process), 1 | 7L << 12, atp(8, S1));
      assertEquals(TARGET | 4, write(process), "PD" + BITS[mode]);
      if (mode < 3) {
        faults(260, 1 << BITS[mode]);
        assertEquals((1L << BITS[mode]) << 12 | 1L << 32, t.record(0) & 0x3_ffff_f000L);
      }
    }
  }

  @Test
  @DisplayName("2.3 steps 11 to 13: accesses without a process_id, and a directory of mode Bare")
  void without() {
    directory(0, 1);
    context(process(1, 0), 1, atp(8, S1));
    assertEquals(IOVA | 4, write(NONE), "no first stage");
    directory(DPE, 1);
    t.command(3, 0);
    assertEquals(TARGET | 4, write(NONE), "process 0 by default");
    context(process(1, 0), 0, 0);
    t.command(3, 0);
    faults(266, NONE);
    assertEquals(0, t.record(0) & 0x3_ffff_f000L, "the access has no process_id");
    t.context(ROOT, 1 | PDTV, 0, 0, 0);
    t.command(3, 0);
    assertEquals(IOVA | 4, write(0xf_ffff));
  }

  @Test
  @DisplayName("2.2.4, 2.3.2: causes 265 to 267 of directory entries and process contexts")
  void causes() {
    directory(0, 2);
    long at = process(2, 0x105);
    context(at, 1 | 7L << 12, atp(8, S1));
    assertEquals(TARGET | 4, write(0x105));
    faults(266, 0x205);
    t.memory.write64(PDT + 8 * 2, PDT >>> 2 | 1 | 1 << 4);
    faults(267, 0x205);
    t.memory.write64(PDT + 8 * 2, PDT >>> 2 | 1 | 1L << 60);
    faults(267, 0x205);
    t.memory.write64(PDT + 8 * 2, 0x1000 >>> 2 | 1);
    faults(265, 0x205);
    long[][] broken = {
      {1 | 1 << 3, atp(8, S1)},
      {1 | 1L << 32, atp(8, S1)},
      {1, atp(8, S1) | 1L << 44},
      {1, 11L << 60},
      {1, 1L << 60},
    };
    for (long[] words : broken) {
      context(at, words[0], words[1]);
      t.command(3 | 1 << 7 | 0x105L << 12 | 1L << 33, 0);
      faults(267, 0x105);
    }
    context(at, 7, 0);
    assertEquals(IOVA | 4, write(0x105), "ENS and SUM are no faults; the first stage is Bare");
  }

  @Test
  @DisplayName("4.2: with DTF none of these is recorded")
  void quiet() {
    directory(0x10, 1);
    assertEquals(FAULT, write(3));
    assertEquals(FAULT, write(0x100));
    assertEquals(0, t.cause());
  }

  @Test
  @DisplayName(
      "2.3.2: under a second stage the directory lies at guest addresses, which are read, whatever the access")
  void secondStage() {
    long gpa = 0x1_0000_0000L;
    long fsc = 1L << 60 | gpa >>> 12;
    t.context(ROOT, 1 | PDTV, atp(8, G), 0, fsc);
    t.sv39(G, gpa, pte(PDT, 0x53));
    context(PDT + 16 * 9, 1 | 7L << 12, 0);
    faults(23, 9);
    assertEquals(IOVA | 4, t.record(3), "of the access itself: the directory was read");
    t.memory.write64(G + (IOVA >>> 30) * 8, pte(0x4000_0000L, RW));
    assertEquals(IOVA | 4, write(9));
    t.context(ROOT + 64, 1 | PDTV, atp(8, G), 0, fsc + 1);
    assertEquals(FAULT, t.model.translate(1, 9, IOVA, Translator.READ));
    assertEquals(21, t.cause());
    assertEquals(gpa + 0x1000 + 16 * 9 | 1, t.record(3), "an implicit access");
  }

  @Test
  @DisplayName(
      "2.7: a process stays until IODIR.INVAL_PDT names it, or IODIR.INVAL_DDT its device; its PSCID tags what is cached")
  void caches() {
    directory(0, 1);
    long at = process(1, 5);
    context(at, 1 | 7L << 12, atp(8, S1));
    assertEquals(TARGET | 4, write(5));
    context(at, 0, 0);
    t.command(3 | 1 << 7 | 6L << 12 | 1L << 33, 0);
    t.command(3 | 1 << 7 | 5L << 12 | 1L << 33 | 1L << 40, 0);
    assertEquals(TARGET | 4, write(5), "another process, another device");
    t.sv39(S1, IOVA, 0);
    assertEquals(TARGET | 4, write(5), "its pages are cached, too");
    t.command(1 | 1 << 10 | 7L << 12 | 1L << 32, IOVA >>> 2);
    assertEquals(FAULT, write(5));
    assertEquals(15, t.cause(), "the process is cached still");
    t.command(3 | 1 << 7 | 5L << 12 | 1L << 33, 0);
    faults(266, 5);
    context(at, 1, 0);
    assertEquals(IOVA | 4, write(5), "what is not valid was not cached");
    context(at, 0, 0);
    t.command(3 | 1L << 33, 0);
    faults(266, 5);
  }
}
