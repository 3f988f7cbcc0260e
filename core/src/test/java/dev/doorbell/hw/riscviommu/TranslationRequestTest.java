package dev.doorbell.hw.riscviommu;

import static dev.doorbell.hw.riscviommu.RawTables.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.doorbell.bus.TranslationCompletion;
import dev.doorbell.bus.TranslationCompletion.Refused;
import dev.doorbell.bus.TranslationCompletion.Success;
import dev.doorbell.bus.TranslationRequest;
import dev.doorbell.bus.Translator;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("RISC-V IOMMU 1.0, 2.6: devices' translation requests, by tables of raw numbers")
class TranslationRequestTest {
  private static final long IOVA = 0x4000_1000L;
  private static final long TARGET = 0x9000_1000L;
  private static final long RWXU = 0xdf;
  private static final int EN_ATS = 2;
  private static final int PDTV = 0x20;
  private static final int R = Translator.READ;
  private static final int W = Translator.WRITE;
  private static final int X = TranslationCompletion.EXECUTE;
  private static final Success NOTHING = new Success(0, 0x1000, 0, false, false);

  private final RawTables t = new RawTables(RiscvIommuFeatures.usual(48).withAts());

  TranslationRequestTest() {
    t.mode(2);
  }

  private static TranslationRequest request(int device) {
    return new TranslationRequest(device, -1, IOVA, true, false, false);
  }

  private static TranslationRequest ofProcess(boolean executes, boolean privileged) {
    return new TranslationRequest(0, 5, IOVA, true, executes, privileged);
  }

  private TranslationCompletion ask(TranslationRequest request) {
    return t.model.translationRequest(request);
  }

  private void one(long leaf) {
    t.context(ROOT, 1 | EN_ATS, 0, 0, atp(8, S1));
    t.sv39(S1, IOVA, leaf);
  }

  /// A process directory of 8 bits, with tables for process 5.
  private void process(long ta, long leaf) {
    t.context(ROOT, 1 | EN_ATS | PDTV, 0, 0, atp(1, MEMORY + 0x8_0000));
    t.memory.write64(MEMORY + 0x8_0000 + 16 * 5, ta);
    t.memory.write64(MEMORY + 0x8_0000 + 16 * 5 + 8, atp(8, S1));
    t.sv39(S1, IOVA, leaf);
  }

  private void recorded(int cause, int type) {
    assertEquals(cause, t.cause());
    if (cause != 0) {
      assertEquals(type, t.record(0) >>> 34 & 0x3f, "TTYP");
      assertEquals(IOVA, t.record(2), "iotval");
    }
  }

  @ParameterizedTest(name = "ddtp {0}, tc 0x{1}, process {2}: cause {3}")
  @CsvSource({
    "0, 3, -1, 256",
    "1, 3, -1, 260",
    "2, 0, -1, 258",
    "2, 1, -1, 260",
    "2, 11, -1, 0",
    "2, 1001, -1, 259",
    "2, 3, 9, 260",
    "2, 13, 9, 0",
  })
  @DisplayName(
      "who may not ask is answered UR, which is a fault of type 8; with DTF some are not recorded")
  void unsupported(int mode, String tc, int process, int cause) {
    t.mode(mode);
    t.context(ROOT, Long.parseLong(tc, 16));
    TranslationRequest request = new TranslationRequest(0, process, IOVA, true, false, false);
    assertEquals(Refused.UNSUPPORTED_REQUEST, ask(request));
    recorded(cause, 8);
  }

  @Test
  @DisplayName("what is wrong with the tables is answered CA, and recorded")
  void aborted() {
    t.context(ROOT, 1 | EN_ATS, 0, 0, atp(8, 0x1000));
    assertEquals(Refused.COMPLETER_ABORT, ask(request(0)));
    recorded(5, 8);
    process(1 | 8, pte(TARGET, RWXU));
    t.command(3, 0);
    assertEquals(Refused.COMPLETER_ABORT, ask(ofProcess(false, true)));
    recorded(267, 8);
    assertEquals(3, t.record(0) >>> 32 & 3, "PV and PRIV");
    t.context(ROOT, 1 | EN_ATS, atp(8, G), 0, 0, atp(1, MSI), 0, IOVA >>> 12);
    t.command(3, 0);
    t.memory.write64(MSI, 1 | 2 << 1);
    assertEquals(Refused.COMPLETER_ABORT, ask(request(0)));
    recorded(263, 8);
  }

  @Test
  @DisplayName("what is not there is answered with no rights, and no fault")
  void nothing() {
    one(0);
    assertEquals(NOTHING, ask(request(0)));
    one(pte(TARGET, 0xcf));
    assertEquals(NOTHING, ask(request(0)), "a supervisor's page");
    t.context(ROOT, 1 | EN_ATS, atp(8, G), 0, 0, atp(1, MSI), 0, IOVA >>> 12);
    t.command(3, 0);
    assertEquals(NOTHING, ask(request(0)), "no interrupt file");
    t.context(ROOT, 1 | EN_ATS, atp(8, G), 0, 0);
    t.command(3, 0);
    assertEquals(NOTHING, ask(request(0)), "no page of the guest's");
    process(0, 0);
    t.command(3, 0);
    assertEquals(NOTHING, ask(ofProcess(false, false)), "no process");
    recorded(0, 0);
  }

  @ParameterizedTest(name = "leaf 0x{0}, no write {1}: {2}")
  @CsvSource({
    "d7, false, 3",
    "d7, true, 3",
    "d3, false, 1",
    "57, false, 0",
    "57, true, 1",
    "d9, false, 0"
  })
  @DisplayName(
      "reading and writing are granted as the tables give them; nothing without reading, and nothing of a clean page that may be written to who asks to")
  void rights(String leaf, boolean noWrite, int rights) {
    one(pte(TARGET, Long.parseLong(leaf, 16)));
    TranslationRequest request = new TranslationRequest(0, -1, IOVA, !noWrite, false, false);
    Success expected = rights == 0 ? NOTHING : new Success(TARGET, 0x1000, rights, false, false);
    assertEquals(expected, ask(request));
    recorded(0, 0);
  }

  @Test
  @DisplayName(
      "of a process: execution where it was asked for, privilege by SUM, and whether the page is everybody's")
  void ofProcess() {
    process(1 | 2, pte(TARGET, RWXU | 0x20));
    assertEquals(new Success(TARGET, 0x1000, R | W | X, false, true), ask(ofProcess(true, false)));
    assertEquals(new Success(TARGET, 0x1000, R | W, false, true), ask(ofProcess(false, false)));
    assertEquals(NOTHING, ask(ofProcess(true, true)), "a user's page, without SUM");
    process(1 | 2 | 4, pte(TARGET, RWXU));
    t.command(3, 0);
    assertEquals(NOTHING, ask(ofProcess(true, true)), "SUM is not for execution");
    assertEquals(new Success(TARGET, 0x1000, R | W, false, false), ask(ofProcess(false, true)));
    process(1, pte(TARGET, RWXU));
    t.command(3, 0);
    assertEquals(Refused.UNSUPPORTED_REQUEST, ask(ofProcess(true, true)), "without ENS");
    recorded(260, 8);
  }

  @Test
  @DisplayName("the range is the smaller one of both stages', and begins where it does")
  void range() {
    long block = 0x4000_0000L;
    t.context(ROOT, 1 | EN_ATS, 0, 0, atp(8, S1));
    t.memory.write64(S1 + 8, pte(S1 + 0x4000, 1));
    t.memory.write64(S1 + 0x4000, pte(0x9000_0000L, 0xd7));
    assertEquals(new Success(0x9000_0000L, 1 << 21, R | W, false, false), ask(request(0)));
    t.context(ROOT, 1 | EN_ATS, atp(8, G), 0, 0);
    t.command(3, 0);
    t.sv39(G, IOVA, pte(TARGET, 0xd7));
    assertEquals(new Success(TARGET, 0x1000, R | W, false, false), ask(request(0)));
    t.memory.write64(G + (block >>> 30) * 8, pte(0x8000_0000L, 0xd7));
    assertEquals(new Success(0x8000_0000L, 1 << 30, R | W, false, false), ask(request(0)));
    t.context(ROOT, 1 | EN_ATS);
    t.command(3, 0);
    assertEquals(new Success(IOVA, 0x1000, R | W, false, false), ask(request(0)), "no stage");
  }

  @Test
  @DisplayName(
      "a guest's interrupt file: its page where it is a hart's; untranslated accesses alone where it is in memory")
  void interruptFiles() {
    t.context(ROOT, 1 | EN_ATS, atp(8, G), 0, 0, atp(1, MSI), 0, IOVA >>> 12);
    t.memory.write64(MSI, 0x2400_1000L >>> 2 | 3 << 1 | 1);
    assertEquals(new Success(0x2400_1000L, 0x1000, R | W, false, false), ask(request(0)));
    t.memory.write64(MSI, (MEMORY + 0x9_0000) >>> 2 | 1 << 1 | 1);
    t.memory.write64(MSI + 8, MEMORY >>> 2);
    assertEquals(new Success(0, 0x1000, R | W, true, false), ask(request(0)));
    t.memory.write64(MSI, 0x2400_1000L >>> 2 | 3 << 1 | 1);
    process(1, pte(0x8000_0000L, RWXU | 0x20));
    t.context(
        ROOT,
        1 | EN_ATS | PDTV,
        atp(8, G),
        0,
        atp(1, MEMORY + 0x8_0000),
        atp(1, MSI),
        0,
        0x8000_0000L >>> 12);
    for (long page = MEMORY; page < MEMORY + 0x10_0000; page += 0x1000) {
      t.sv39(G, page, pte(page, 0xd7));
    }
    t.command(3, 0);
    assertEquals(
        new Success(0x2400_1000L, 0x1000, R | W, false, false),
        ask(ofProcess(true, false)),
        "no code, and nobody's alone");
    recorded(0, 0);
  }

  @Test
  @DisplayName(
      "translated accesses pass as they are from devices with ATS, within the width of memory; others fault with their type")
  void translated() {
    t.context(ROOT, 1 | EN_ATS, 0, 0, atp(8, S1));
    assertEquals(TARGET, t.model.translated(0, TARGET, W));
    assertEquals(Translator.FAULT, t.model.translated(0, 1L << 48, R));
    assertEquals(5, t.cause());
    assertEquals(6, t.record(0) >>> 34 & 0x3f);
    t.context(ROOT, 1);
    t.command(3, 0);
    assertEquals(Translator.FAULT, t.model.translated(0, IOVA, W));
    recorded(260, 7);
    t.mode(1);
    assertEquals(Translator.FAULT, t.model.translated(0, IOVA, W));
    recorded(260, 7);
    t.mode(0);
    assertEquals(Translator.FAULT, t.model.translated(0, IOVA, R));
    recorded(256, 6);
  }

  @Test
  @DisplayName(
      "2.1.3: with T2GPA a device is answered a guest's address, and accesses with it take the second stage")
  void guestAddresses() {
    RawTables g = new RawTables(RiscvIommuFeatures.usual(48).withT2gpa());
    g.mode(2);
    long gpa = 0x5000_2000L;
    long tables = MEMORY + 0x1_0000;
    g.context(ROOT, 1 | EN_ATS | 8, atp(8, G), 0, atp(8, S1), atp(1, MSI), 0, 0x7777L);
    g.sv39(S1, IOVA, pte(gpa, RWXU));
    // The root of the second stage is four pages, and what it maps lies in three gigabytes.
    for (long at : new long[] {tables, tables + 0x4000, tables + 0x5000}) {
      map(g, at, pte(at, 0xd7));
    }
    map(g, gpa, pte(TARGET, 0xd7));
    assertEquals(
        new Success(gpa, 0x1000, R | W, false, false), g.model.translationRequest(request(0)));
    assertEquals(TARGET + 8, g.model.translated(0, gpa + 8, W));
    assertEquals(Translator.FAULT, g.model.translated(0, TARGET, W), "what is not the guest's");
    assertEquals(23, g.cause());
    assertEquals(7, g.record(0) >>> 34 & 0x3f, "TTYP");
    assertEquals(TARGET, g.record(2));
    assertEquals(TARGET, g.record(3), "iotval2, no implicit access");
    map(g, gpa, pte(TARGET, 0x53));
    g.command(1 | 1 << 7, 0);
    assertEquals(new Success(gpa, 0x1000, R, false, false), g.model.translationRequest(request(0)));
    assertEquals(Translator.FAULT, g.model.translated(0, gpa, W));
    assertEquals(23, g.cause());
    g.memory.write64(MSI, 0x2400_1000L >>> 2 | 3 << 1 | 1);
    assertEquals(0x2400_1000L, g.model.translated(0, 0x777_7000L, W), "a guest's interrupt file");
    g.memory.write64(MSI, (MEMORY + 0x9_0000) >>> 2 | 1 << 1 | 1);
    g.command(1 | 1 << 7, 0);
    assertEquals(Translator.FAULT, g.model.translated(0, 0x777_7000L, W), "one in memory");
    assertEquals(260, g.cause());
  }

  /// A page of the second stage, with a last table for each gigabyte.
  private static void map(RawTables g, long gpa, long leaf) {
    long middle = MEMORY + 0xa_0000 + (gpa >>> 30) * 0x2000;
    g.memory.write64(G + (gpa >>> 30) * 8, pte(middle, 1));
    g.memory.write64(middle + (gpa >>> 21 & 0x1ff) * 8, pte(middle + 0x1000, 1));
    g.memory.write64(middle + 0x1000 + (gpa >>> 12 & 0x1ff) * 8, leaf);
  }

  @ParameterizedTest(name = "tc 0x{0}, second stage {1}: cause {2}")
  @CsvSource({"b, 8, 0", "b, 0, 259", "9, 8, 259"})
  @DisplayName("2.1.4: T2GPA wants EN_ATS and a second stage")
  void guestAddressesMisconfigured(String tc, int second, int cause) {
    RawTables g = new RawTables(RiscvIommuFeatures.usual(48).withT2gpa());
    g.mode(2);
    g.context(ROOT, Long.parseLong(tc, 16), second == 0 ? 0 : atp(second, G), 0, 0);
    map(g, IOVA, pte(TARGET, 0xd7));
    assertEquals(cause == 0 ? TARGET : Translator.FAULT, g.write(0, IOVA));
    assertEquals(cause, g.cause());
    t.context(ROOT, 1 | EN_ATS | 8, atp(8, G), 0, 0);
    assertEquals(Translator.FAULT, t.write(0, IOVA), "without capabilities.T2GPA");
    assertEquals(259, t.cause());
  }

  @Test
  @DisplayName("what no request can say is none")
  void noRequest() {
    assertThrows(
        IllegalArgumentException.class,
        () -> new TranslationRequest(0, -1, IOVA, true, true, false));
    assertThrows(
        IllegalArgumentException.class,
        () -> new TranslationRequest(0, 1 << 20, IOVA, true, false, false));
    assertThrows(
        IllegalArgumentException.class,
        () -> new TranslationRequest(0, 1, IOVA + 1, true, false, false));
  }
}
