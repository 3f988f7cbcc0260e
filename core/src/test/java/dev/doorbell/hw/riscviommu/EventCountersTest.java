package dev.doorbell.hw.riscviommu;

import static dev.doorbell.hw.riscviommu.RawTables.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bus.TranslationRequest;
import dev.doorbell.bus.Translator;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("RISC-V IOMMU 1.0, 6.16 to 6.20: counters of events, by numbers of the manual")
class EventCountersTest {
  private static final long IOVA = 0x4000_1000L;
  private static final long TARGET = 0x9000_1000L;
  private static final int OVF = 0x58;
  private static final int INH = 0x5c;
  private static final int CYCLES = 0x60;
  private static final int CTR1 = 0x68;
  private static final int EVT1 = 0x160;
  private static final long OF = 1L << 63;
  private static final long IDT = 1L << 62;
  private static final long DV = 1L << 61;
  private static final long PV = 1L << 60;
  private static final long DMASK = 1L << 15;

  private final RawTables t = new RawTables(RiscvIommuFeatures.usual(48).withAts().withCounters());

  EventCountersTest() {
    t.mode(2);
    t.context(ROOT, 1 | 2, atp(8, G) | 3L << 44, 9L << 12, atp(8, S1));
    t.context(ROOT + 64, 1, 0, 0, atp(8, S1));
    t.sv39(S1, IOVA, pte(0x8000_8000L, 0xd7));
    for (long at : new long[] {S1, S1 + 0x4000, S1 + 0x5000}) {
      t.sv39(G, at, pte(at, 0xd7));
    }
    t.sv39(G, 0x8000_8000L, pte(TARGET, 0xd7));
    t.set(INH, 0, 4);
  }

  private void select(int counter, long event) {
    t.set(EVT1 + 8L * (counter - 1), event, 8);
  }

  private long count(int counter) {
    return t.get(CTR1 + 8L * (counter - 1), 8);
  }

  @Test
  @DisplayName("without capabilities.HPM they read as zero and ignore writes")
  void absent() {
    RawTables plain = new RawTables();
    for (int at : new int[] {CYCLES, CTR1, EVT1}) {
      plain.set(at, -1L, 8);
      assertEquals(0, plain.get(at, 8));
    }
    plain.set(INH, -1L, 4);
    assertEquals(0, plain.get(INH, 4));
    assertEquals(0, plain.get(OVF, 4));
  }

  @Test
  @DisplayName(
      "each standard event is counted where it happens, and once more only when it happens again")
  void events() {
    for (int i = 1; i <= 8; i++) {
      select(i, i);
    }
    assertEquals(TARGET, t.write(0, IOVA));
    assertEquals(1, count(1), "untranslated requests");
    assertEquals(1, count(4), "TLB misses");
    assertEquals(1, count(5), "device directory walks");
    assertEquals(0, count(6), "process directory walks");
    assertEquals(1, count(7), "first-stage walks");
    assertEquals(4, count(8), "second-stage walks: three tables and the page");
    assertEquals(TARGET, t.write(0, IOVA));
    assertEquals(2, count(1));
    assertEquals(1, count(4));
    assertEquals(1, count(7));
    t.model.translationRequest(new TranslationRequest(0, -1, IOVA, true, false, false));
    assertEquals(1, count(3));
    assertEquals(2, count(1));
    t.model.translated(0, TARGET, Translator.READ);
    assertEquals(1, count(2));
    t.context(ROOT + 128, 1 | 0x20 | 0x200, 0, 0, atp(1, MEMORY + 0x8_0000));
    t.memory.write64(MEMORY + 0x8_0000, 1);
    assertEquals(IOVA, t.write(2, IOVA));
    assertEquals(1, count(6));
  }

  @Test
  @DisplayName("what is inhibited, not selected, or no standard event is not counted")
  void inhibited() {
    select(1, 1);
    select(2, 9);
    assertEquals(0, t.get(EVT1 + 8, 8), "WARL: the event stays what it was");
    select(3, 1);
    t.set(INH, 1 << 3, 4);
    t.read(1, IOVA);
    assertEquals(1, count(1));
    assertEquals(0, count(2));
    assertEquals(0, count(3));
    select(1, 0);
    t.read(1, IOVA);
    assertEquals(1, count(1), "the count stays");
  }

  @ParameterizedTest(name = "device {2}, process {3}: {4}")
  @CsvSource({
    // filter bits, id fields (wide, narrow)
    "DV, 5:0, 5, -1, true",
    "DV, 5:0, 4, -1, false",
    "DV DMASK, 3:0, 7, -1, true",
    "DV DMASK, 3:0, 11, -1, false",
    "DV DMASK, 3:0, 2, -1, true",
    "DV DMASK, 0x7f:0, 0xaa, -1, true",
    "DV DMASK, 0x7f:0, 0x1aa, -1, false",
    "PV, 0:5, 9, 5, true",
    "PV, 0:5, 9, 6, false",
    "PV, 0:0, 9, -1, false",
    "DV PV, 9:5, 9, 5, true",
    "DV PV, 8:5, 9, 5, false",
    "IDT, 0:0, 9, -1, false",
  })
  @DisplayName("filters by device_id and process_id; requests are not told apart by GSCID")
  void filters(String bits, String ids, int device, int process, boolean counted) {
    String[] id = ids.split(":");
    long filter = Long.decode(id[0]) << 36 | Long.decode(id[1]) << 16 | 1;
    for (String b : bits.split(" ")) {
      filter |=
          switch (b) {
            case "DV" -> DV;
            case "PV" -> PV;
            case "IDT" -> IDT;
            default -> DMASK;
          };
    }
    select(31, filter);
    t.mode(4);
    t.model.translate(device, process, IOVA, Translator.READ);
    assertEquals(counted ? 1 : 0, count(31));
  }

  @Test
  @DisplayName("walks are told apart by GSCID and PSCID, where the context has them")
  void spaces() {
    select(1, 7 | IDT | DV | 3L << 36);
    select(2, 7 | IDT | PV | 9L << 16);
    select(3, 8 | IDT | DV | PV | 3L << 36 | 8L << 16);
    select(4, 7 | IDT | DV | 0L << 36);
    select(5, 5 | IDT);
    t.write(0, IOVA);
    assertEquals(1, count(1));
    assertEquals(1, count(2));
    assertEquals(0, count(3));
    assertEquals(0, count(4));
    assertEquals(0, count(5), "directories know no GSCID");
    t.write(1, IOVA);
    assertEquals(1, count(1));
    assertEquals(0, count(4), "no second stage, and so no GSCID");
  }

  @Test
  @DisplayName(
      "an overflow sets OF and pmip, sends a message once, and counts on; with OF set nothing is sent")
  void overflow() {
    t.set(0x2f8, 5 << 8, 8);
    t.set(0x300 + 16 * 5, MEMORY + 0xf_0000, 8);
    t.set(0x300 + 16 * 5 + 8, 0x77, 4);
    select(2, 1);
    t.set(CTR1 + 8, -2L, 8);
    t.read(1, IOVA);
    assertEquals(0, t.get(OVF, 4));
    t.read(1, IOVA);
    assertEquals(0, count(2));
    assertEquals(1 << 2, t.get(OVF, 4));
    assertEquals(OF | 1, t.get(EVT1 + 8, 8));
    assertEquals(4, t.get(0x54, 4), "ipsr.pmip");
    assertEquals(0x77, t.memory.read32(MEMORY + 0xf_0000));
    t.memory.write32(MEMORY + 0xf_0000, 0);
    t.set(0x54, 4, 4);
    assertEquals(0, t.get(0x54, 4));
    t.set(CTR1 + 8, -1L, 8);
    t.read(1, IOVA);
    assertEquals(0, count(2));
    assertEquals(0, t.get(0x54, 4), "OF was set");
    assertEquals(0, t.memory.read32(MEMORY + 0xf_0000));
  }

  @Test
  @DisplayName("cycles go on with requests unless they are inhibited, and overflow at 63 bits")
  void cycles() {
    long before = t.get(CYCLES, 8);
    t.read(1, IOVA);
    assertTrue(t.get(CYCLES, 8) > before);
    t.set(INH, 1, 4);
    before = t.get(CYCLES, 8);
    t.read(1, IOVA);
    assertEquals(before, t.get(CYCLES, 8));
    t.set(CYCLES, Long.MAX_VALUE, 8);
    t.set(INH, 0, 4);
    t.read(1, IOVA);
    t.set(INH, 1, 4);
    assertEquals(OF, t.get(CYCLES, 8));
    assertEquals(1, t.get(OVF, 4));
    assertEquals(4, t.get(0x54, 4));
  }
}
