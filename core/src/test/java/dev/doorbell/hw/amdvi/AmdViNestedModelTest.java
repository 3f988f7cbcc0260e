package dev.doorbell.hw.amdvi;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.bus.SystemBus;
import dev.doorbell.bus.Translator;
import dev.doorbell.simple.PlainMemory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Entries, commands and events are written as numbers.
@DisplayName("48882 2.2.6, 2.2.7, 2.4.3: guest page tables and PASIDs in the model")
class AmdViNestedModelTest {
  private static final int DEVICE = 0x12;
  private static final long DEVICES = 0x0;
  private static final long COMMANDS = 0x20_0000;
  private static final long EVENTS = 0x20_2000;
  private static final long GCR3 = 0x20_4000;
  private static final long TABLES = 0x21_0000;
  private static final long HOST = 0x30_0000;

  /// P, R/W, U/S.
  private static final long OPEN = 7;

  private final PlainMemory memory = new PlainMemory(0, 1 << 23);
  private final AmdViModel model =
      new AmdViModel(AmdViFeatures.all(), memory, (_, _, _) -> true, _ -> {});

  @BeforeEach
  void start() {
    set(0x00, DEVICES | 0x1ff);
    set(0x08, COMMANDS | 8L << 56);
    set(0x10, EVENTS | 8L << 56);
    // GTEn, CmdBufEn, EventLogEn, IommuEn.
    set(0x18, 0x1_1005);
    device(0, 0);
    pasid(0, TABLES);
    tables(TABLES, 0x5000 | OPEN);
  }

  private void set(long offset, long value) {
    model.write(offset, value, 8, SystemBus.CPU);
  }

  /// V, TV, GV, IR, IW, DomainID 7 and the guest CR3 table's address in its pieces.
  private void device(long more, long third) {
    long at = DEVICES + DEVICE * 32L;
    memory.write64(at, 0x6080_0000_0000_0003L | (GCR3 >>> 12 & 7) << 58 | more);
    memory.write64(at + 8, 7 | (GCR3 >>> 15 & 0xffff) << 16);
    memory.write64(at + 16, third);
    command(0x2000_0000_0000_0000L | DEVICE, 0);
  }

  private void pasid(int pasid, long root) {
    memory.write64(GCR3 + pasid * 8L, root | 1);
  }

  /// Four tables, one after the other, that map page 3 by a leaf.
  private void tables(long root, long leaf) {
    for (int i = 0; i < 3; i++) {
      memory.write64(root + i * 0x1000L, root + (i + 1) * 0x1000L | OPEN);
    }
    memory.write64(root + 0x3018, leaf);
  }

  private void command(long w0, long w1) {
    long tail = model.read(0x2008, 8).value();
    memory.write64(COMMANDS + tail, w0);
    memory.write64(COMMANDS + tail + 8, w1);
    set(0x2008, tail + 16 & 0xfff);
    assertEquals(tail + 16 & 0xfff, model.read(0x2000, 8).value(), "the command was executed");
  }

  /// INVALIDATE_IOMMU_PAGES of the page at 3000h.
  private void forgetPage(int domain, int pasid, boolean guest) {
    command(3L << 60 | (long) domain << 32 | pasid, 0x3000 | 2 | (guest ? 4 : 0));
  }

  private long write(int pasid, long address) {
    return model.translate(DEVICE, pasid, address, Translator.WRITE);
  }

  private long read(int pasid, long address) {
    return model.translate(DEVICE, pasid, address, Translator.READ);
  }

  private String event() {
    long head = model.read(0x2010, 8).value();
    if (head == model.read(0x2018, 8).value()) {
      return "none";
    }
    long w0 = memory.read64(EVENTS + head);
    set(0x2010, head + 16 & 0xfff);
    return "%x at %x".formatted(w0, memory.read64(EVENTS + head + 8));
  }

  @Test
  @DisplayName(
      "an entry that software changes between its reading and its marking stands for that access alone")
  void overtaken() {
    memory.afterRead(TABLES + 0x3018, () -> memory.write64(TABLES + 0x3018, 0x6000 | OPEN));
    assertEquals(0x5010, write(0, 0x3010));
    assertEquals(0x6000 | OPEN, memory.read64(TABLES + 0x3018), "not marked");
    assertEquals(0x6010, write(0, 0x3010), "not cached");
    assertEquals(0x6000 | OPEN | 0x60, memory.read64(TABLES + 0x3018));
  }

  @Test
  @DisplayName(
      "each PASID has tables of its own; without one PASID 0's serve where GIoV=1, the host's else")
  void pasids() {
    pasid(5, TABLES + 0x8000);
    tables(TABLES + 0x8000, 0x6000 | OPEN);
    assertEquals(0x5010, write(0, 0x3010));
    assertEquals(0x6010, write(5, 0x3010));
    assertEquals(0x3010, write(-1, 0x3010));
    assertEquals(Translator.FAULT, write(6, 0x3010));
    // GN, RW, and PASID where the domain's number is else.
    assertEquals("2021000600000012 at 3010", event());
    device(1L << 54, 0);
    assertEquals(0x5010, write(-1, 0x3010));
  }

  @Test
  @DisplayName("PASIDs of two and three levels of guest CR3 tables; one beyond them is a fault")
  void levels() {
    assertEquals(Translator.FAULT, write(512, 0x3000));
    assertEquals("2021020000000012 at 3000", event());
    device(2L << 56, 0);
    memory.write64(GCR3 + 3 * 8, GCR3 + 0x1000 | 1);
    memory.write64(GCR3 + 0x1000 + 2 * 8, GCR3 + 0x2000 | 1);
    memory.write64(GCR3 + 0x2000 + 8, TABLES | 1);
    assertEquals(0x5008, write(3 << 18 | 2 << 9 | 1, 0x3008));
    assertEquals(Translator.FAULT, write(3 << 18 | 1, 0x3008));
    assertEquals("20210001000c0012 at 3008", event());
  }

  @ParameterizedTest
  @DisplayName("what entries deny, and what they mark: A on the way, D of a page that is written")
  @CsvSource({
    "5006, -1, 2021000000000012",
    "5005, -1, 2071000000000012",
    "5003, -1, 2071000000000012",
    "5007, 5000, 5067",
    "5047, 5000, 5067"
  })
  void entries(String leaf, String pa, String left) {
    tables(TABLES, Long.parseLong(leaf, 16));
    long expected = Long.parseLong(pa, 16);
    assertEquals(expected, write(0, 0x3000));
    if (expected < 0) {
      assertEquals(left + " at 3000", event());
    } else {
      assertEquals(Long.parseLong(left, 16), memory.read64(TABLES + 0x3018));
      assertEquals(TABLES + 0x1000 | OPEN | 0x20, memory.read64(TABLES));
    }
  }

  @Test
  @DisplayName("a page that was read first and cached so is marked D by the first write")
  void dirtyLater() {
    assertEquals(0x5000, read(0, 0x3000));
    assertEquals(0x5027, memory.read64(TABLES + 0x3018));
    assertEquals(0x5000, write(0, 0x3000));
    assertEquals(0x5067, memory.read64(TABLES + 0x3018));
  }

  @Test
  @DisplayName("pages of 2 MiB and 1 GiB, five levels, and addresses that are not canonical")
  void shapes() {
    memory.write64(TABLES + 0x2008, 0x40_0000 | OPEN | 0x80);
    assertEquals(0x41_2345, write(0, 0x21_2345));
    memory.write64(TABLES + 0x1008, 0x4000_0000 | OPEN | 0x80);
    assertEquals(0x4021_2345, write(0, 0x4021_2345));
    memory.write64(TABLES + 0x1010, 0x4020_0000 | OPEN | 0x80);
    assertEquals(Translator.FAULT, write(0, 0x8000_0000L));
    assertEquals("20b1000000000012 at 80000000", event());
    assertEquals(Translator.FAULT, write(0, 1L << 47));
    assertEquals("2021000000000012 at 800000000000", event());
    device(0, 1L << 54);
    memory.write64(GCR3, TABLES - 0x1000 | 1);
    memory.write64(TABLES - 0x1000, TABLES | OPEN);
    command(3L << 60 | 7L << 32, 0x7fff_ffff_ffff_f007L);
    assertEquals(0x5000, write(0, 0x3000));
  }

  @ParameterizedTest
  @DisplayName(
      "2.4.3: GN=1 drops a PASID's translations of a domain, GN=0 none that rest on no host tables")
  @CsvSource({"7, 0, true, false", "7, 5, true, true", "8, 0, true, true", "7, 0, false, true"})
  void invalidation(int domain, int pasid, boolean guest, boolean stale) {
    assertEquals(0x5000, write(0, 0x3000));
    tables(TABLES, 0x6000 | OPEN);
    forgetPage(domain, pasid, guest);
    assertEquals(stale ? 0x5000 : 0x6000, write(0, 0x3000));
  }

  /// Tables of the host's that move all of 0 to 200000h but one page up by 400000h.
  private void nested(long absent) {
    device(HOST | 2 << 9, 0);
    memory.write64(HOST, HOST + 0x1201 | 0x6000_0000_0000_0000L);
    for (long page = 0; page < 512; page++) {
      memory.write64(
          HOST + 0x1000 + page * 8, page == absent ? 0 : 0x6000_0000_0040_0001L + page * 0x1000);
    }
    long root = 0x1_0000;
    pasid(0, root);
    for (int i = 0; i < 3; i++) {
      memory.write64(0x40_0000 + root + i * 0x1000L, root + (i + 1) * 0x1000L | OPEN);
    }
    memory.write64(0x40_0000 + root + 0x3018, 0x5000 | OPEN);
  }

  @Test
  @DisplayName("2.2.7: the host's tables translate guest tables and what they lead to")
  void nested() {
    nested(-1);
    assertEquals(0x40_5010, write(0, 0x3010));
    assertEquals(0x5067, memory.read64(0x41_3018), "A and D are set where the table lies");
  }

  @ParameterizedTest
  @DisplayName("a fault of the host's tables tells the guest physical address, with GN=0")
  @CsvSource({"5, 2020000700000012 at 5010", "18, 2000000700000012 at 12000"})
  void nestedFault(long absent, String event) {
    nested(absent);
    assertEquals(Translator.FAULT, write(0, 0x3010));
    assertEquals(event, event());
  }

  @Test
  @DisplayName(
      "2.4.3: GN=0 drops translations that rest on the host's tables, whatever their address")
  void nestedInvalidation() {
    nested(-1);
    assertEquals(0x40_5010, write(0, 0x3010));
    memory.write64(HOST + 0x1000 + 5 * 8, 0x6000_0000_0060_0001L);
    assertEquals(0x40_5010, write(0, 0x3010), "it is cached");
    command(3L << 60 | 7L << 32, 0x5000 | 2);
    assertEquals(0x60_0010, write(0, 0x3010));
  }

  @ParameterizedTest
  @DisplayName(
      "ILLEGAL_DEV_TABLE_ENTRY: guest tables with GTEn=0, GLX or GuestPagingMode beyond what there is")
  @CsvSource({"1, 0, 0", "0, 3, 0", "0, 0, 2"})
  void illegal(int off, long glx, long paging) {
    if (off == 1) {
      set(0x18, 0x1005);
    }
    device(glx << 56, paging << 54);
    assertEquals(Translator.FAULT, write(0, 0x3000));
    assertEquals(off == 1 ? "10a0000000000012 at 3000" : "1020000000000012 at 3000", event());
  }

  @Test
  @DisplayName("a request with a PASID of a device without guest tables is IO_PAGE_FAULT")
  void withoutGuest() {
    memory.write64(DEVICES + DEVICE * 32L, 0x6000_0000_0000_0003L);
    command(0x2000_0000_0000_0000L | DEVICE, 0);
    assertEquals(0x3000, write(-1, 0x3000));
    assertEquals(Translator.FAULT, write(9, 0x3000));
    assertEquals("2021000900000012 at 3000", event());
  }
}
