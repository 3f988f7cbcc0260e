package dev.doorbell.hw.riscviommu;

import static dev.doorbell.hw.riscviommu.RawTables.MEMORY;
import static dev.doorbell.hw.riscviommu.RawTables.ROOT;
import static dev.doorbell.hw.riscviommu.RawTables.atp;
import static dev.doorbell.hw.riscviommu.RawTables.pte;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.address.Iova;
import dev.doorbell.fuzz.WalkCheck;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName(
    "RISC-V IOMMU 1.0, 5: translations that software asks for, with privilege and execution")
class DebugInterfaceTest {
  private static final long IOVA = 0x1234_5000L;
  private static final long TARGET = 0x7654_3000L;
  private static final long S1 = MEMORY + 0x2_0000;
  private static final long S2 = MEMORY + 0x3_0000;
  private static final long PDT = MEMORY + 0x5_0000;
  private static final long V_R_W_A_D = 0xc7;
  private static final long U = 0x10;
  private static final long X = 8;

  private static final int PRIV = 2;
  private static final int EXE = 4;
  private static final int NW = 8;
  private static final long FAULT = 1;

  private final RawTables t = new RawTables();

  /// {@return tr_response of process 0 of device 0, or of the device alone}
  private long ask(boolean process, int flags) {
    t.set(0x258, IOVA, 8);
    t.set(0x260, 1 | flags | (process ? 1L << 32 : 0), 8);
    assertEquals(0, t.get(0x260, 8) & 1, "Go/Busy");
    return t.get(0x268, 8);
  }

  private static long page(long pa) {
    return pa >>> 12 << 10;
  }

  /// A process directory with one process.
  private void process(long ta, long leaf) {
    t.mode(2);
    t.context(ROOT, 1 | 1 << 5, 0, 0, atp(1, PDT));
    t.memory.write64(PDT, ta | 1);
    t.memory.write64(PDT + 8, atp(8, S1));
    t.sv39(S1, IOVA, leaf);
    t.command(3, 0);
  }

  @Test
  @DisplayName(
      "2.2.3: supervisor privilege needs ENS (260), and SUM for a user's page; it never executes one of these")
  void privilege() {
    process(0, pte(TARGET, V_R_W_A_D | U | X));
    assertEquals(page(TARGET), ask(true, 0));
    assertEquals(FAULT, ask(true, PRIV));
    assertEquals(260, t.cause());
    assertEquals(3L << 32, t.record(0) & 3L << 32, "PV and PRIV");
    process(2, pte(TARGET, V_R_W_A_D | U | X));
    assertEquals(FAULT, ask(true, PRIV | NW));
    assertEquals(13, t.cause());
    process(6, pte(TARGET, V_R_W_A_D | U | X));
    assertEquals(page(TARGET), ask(true, PRIV));
    assertEquals(FAULT, ask(true, PRIV | EXE | NW));
    assertEquals(12, t.cause());
    assertEquals(page(TARGET), ask(true, EXE | NW));
    process(2, pte(TARGET, V_R_W_A_D | X));
    assertEquals(page(TARGET), ask(true, PRIV | EXE | NW));
    assertEquals(FAULT, ask(true, 0));
    assertEquals(15, t.cause());
  }

  @Test
  @DisplayName("6.23: without a process Priv is ignored; execution needs X, cause 12 and TTYP 1")
  void execution() {
    t.mode(2);
    t.context(ROOT, 1, 0, 0, atp(8, S1));
    t.sv39(S1, IOVA, pte(TARGET, V_R_W_A_D | U));
    assertEquals(page(TARGET), ask(false, PRIV));
    assertEquals(FAULT, ask(false, EXE | NW));
    assertEquals(12, t.cause());
    assertEquals(1, t.record(0) >>> 34 & 0x3f, "TTYP: untranslated read for execute");
    t.sv39(S1, IOVA, pte(TARGET, V_R_W_A_D | U | X));
    assertEquals(page(TARGET), ask(false, EXE | NW));
  }

  @Test
  @DisplayName(
      "2.3: the second stage takes every access for a user's, and has causes 20 and 1 for execution")
  void secondStage() {
    t.mode(2);
    t.context(ROOT, 1, atp(8, S2), 0, 0);
    t.sv39(S2, IOVA, pte(TARGET, V_R_W_A_D | U));
    assertEquals(page(TARGET), ask(false, NW));
    assertEquals(FAULT, ask(false, EXE | NW));
    assertEquals(20, t.cause());
    assertEquals(IOVA, t.record(3));
    t.memory.write64(S2 + (IOVA >>> 30) * 8, pte(0x1000, 1));
    assertEquals(FAULT, ask(false, EXE | NW));
    assertEquals(1, t.cause(), "a table where no memory is");
  }

  @Test
  @DisplayName("6.24: PBMT is the first stage's, or the second's where that names none")
  void memoryTypes() {
    t.mode(2);
    t.context(ROOT, 1, atp(8, S2), 0, atp(8, S1));
    t.sv39(S2, S1, pte(S1, V_R_W_A_D | U));
    for (long table : new long[] {S1, S1 + 0x4000, S1 + 0x5000}) {
      t.memory.write64(S2 + 0x5000 + (table >>> 12 & 0x1ff) * 8, pte(table, V_R_W_A_D | U));
    }
    long guest = S1 + 0x6000;
    t.memory.write64(
        S2 + 0x5000 + (guest >>> 12 & 0x1ff) * 8, pte(TARGET, V_R_W_A_D | U | 1L << 61));
    t.sv39(S1, IOVA, pte(guest, V_R_W_A_D | U));
    assertEquals(page(TARGET) | 1 << 7, ask(false, 0));
    t.sv39(S1, IOVA, pte(guest, V_R_W_A_D | U | 2L << 61));
    assertEquals(page(TARGET) | 2 << 7, ask(false, 0));
  }

  @Test
  @DisplayName(
      "6.1: Svnapot: sixteen pages by one entry each, 64 KiB together; other PPNs and levels fault")
  void contiguous() {
    long napot = 1L << 63;
    long base = 0x7650_0000L;
    t.mode(2);
    t.context(ROOT, 1, 0, 0, atp(8, S1));
    t.sv39(S1, IOVA, pte(base | 0x8000, V_R_W_A_D | U | napot));
    assertEquals(base | 0x5000 | 0x4, t.write(0, IOVA | 4));
    assertEquals(page(base | 0x5000), ask(false, 0));
    assertEquals(
        base | 0x5000 | 4,
        new RiscvIommuWalker(
                "iommu",
                Map.of("ddtp", t.get(0x10, 8), "capabilities", t.get(0, 8)),
                WalkCheck.view(t.memory))
            .walk(0, new Iova(IOVA | 4), true)
            .output()
            .orElseThrow()
            .value());
    // An invalidation of one page is one of them all.
    assertEquals(base | 0xf000, t.write(0, IOVA & ~0xffffL | 0xf000), "cached with its neighbours");
    t.sv39(S1, IOVA, 0);
    t.command(1 | 1 << 10, IOVA >>> 12 << 10);
    assertEquals(-1, t.write(0, IOVA & ~0xffffL | 0xf000));
    assertEquals(15, t.cause());
    t.sv39(S1, IOVA, pte(base | 0x4000, V_R_W_A_D | U | napot));
    assertEquals(-1, t.write(0, IOVA));
    assertEquals(15, t.cause());
  }
}
