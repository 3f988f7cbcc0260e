package dev.doorbell.hw.amdvi;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.bus.ApicPort;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.simple.PlainMemory;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Entries, records and registers are written as numbers.
@DisplayName("48882 2.2.5.2, 2.7: guest virtual APIC mode, and its log")
class AmdViGuestInterruptsTest {
  private static final int DEVICE = 0x12;
  private static final long COMMANDS = 0x20_0000;
  private static final long EVENTS = 0x20_2000;
  private static final long LOG = 0x20_4000;
  private static final long TAIL = 0x20_6008;
  private static final long ENTRIES = 0x21_0000;
  private static final long PAGE = 0x22_0000;
  private static final long GUEST = 1 | 1 << 7;
  private static final long LOGGED = 1 << 2;
  private static final long RUNNING = 1 << 6;

  /// XTEn, GALogEn, GAMEn 1, GAEn, CmdBufEn, EventLogEn, IommuEn.
  private static final long CONTROL = 1L << 50 | 1 << 28 | 1 << 25 | 1 << 17 | 0x1005;

  private final PlainMemory memory = new PlainMemory(0, 1 << 23);
  private final List<String> told = new ArrayList<>();
  private final List<Boolean> line = new ArrayList<>();
  private final AmdViModel model =
      new AmdViModel(
          AmdViFeatures.all(),
          memory,
          new ApicPort() {
            @Override
            public boolean send(long destination, int command, boolean wide) {
              told.add("vector to 0x%x".formatted(destination));
              return true;
            }

            @Override
            public boolean doorbell(long apicId) {
              told.add("doorbell to 0x%x".formatted(apicId));
              return true;
            }
          },
          line::add);

  @BeforeEach
  void start() {
    set(0x00, 0x1ff);
    set(0x08, COMMANDS | 8L << 56);
    set(0x10, EVENTS | 8L << 56);
    set(0xe0, LOG | 8L << 56);
    set(0xe8, TAIL);
    set(0x18, CONTROL);
    memory.write64(DEVICE * 32L, 3);
    memory.write64(DEVICE * 32L + 16, 1 | 9 << 1 | ENTRIES | 2L << 60);
  }

  private void set(long offset, long value) {
    model.write(offset, value, 8, SystemBus.CPU);
  }

  private long get(long offset) {
    return model.read(offset, 8).value();
  }

  /// Writes entry 3 and has it forgotten.
  private void entry(long low, long high) {
    memory.write64(ENTRIES + 48, low);
    memory.write64(ENTRIES + 56, high);
    long tail = get(0x2008);
    memory.write64(COMMANDS + tail, 5L << 60 | DEVICE);
    memory.write64(COMMANDS + tail + 8, 0);
    set(0x2008, tail + 16 & 0xfff);
  }

  private BusOutcome ring() {
    return model.message(DEVICE, 0xfee0_0000L, 3, 4);
  }

  private String event() {
    long head = get(0x2010);
    if (head == get(0x2018)) {
      return "none";
    }
    set(0x2010, head + 16 & 0xfff);
    return "%x at %x".formatted(memory.read64(EVENTS + head), memory.read64(EVENTS + head + 8));
  }

  @ParameterizedTest
  @DisplayName("a message sets its vector's bit in IRR of the backing page, beside what is there")
  @CsvSource({"0, 200, 1", "31, 200, 80000000", "32, 210, 1", "97, 230, 2", "255, 270, 80000000"})
  void posted(int vector, String at, String bit) {
    entry(GUEST, PAGE | vector);
    long word = PAGE + Long.parseLong(at, 16);
    memory.write64(word, 0x4);
    assertEquals(BusOutcome.OK, ring());
    assertEquals(Long.parseLong(bit, 16) | 4, memory.read64(word));
    assertEquals(List.of(), told);
    assertEquals("none", event());
  }

  @Test
  @DisplayName("IsRun=1: the processor that runs the guest is told, and nothing is logged")
  void running() {
    entry(GUEST | LOGGED | RUNNING | 0x23_4567L << 8, PAGE | 0x40 | 0x89L << 56);
    assertEquals(BusOutcome.OK, ring());
    assertEquals(List.of("doorbell to 0x89234567"), told);
    assertEquals(0, get(0x2048));
  }

  @Test
  @DisplayName("IsRun=0 and GALogIntr=1: the log has tag and device, and tells where it ends")
  void logged() {
    entry(GUEST | LOGGED | 0xabcd_0007L << 32, PAGE | 0x40);
    ring();
    ring();
    assertEquals(List.of(), told);
    assertEquals(16, get(0x2048));
    assertEquals(16, memory.read64(TAIL));
    assertEquals(1L << 60 | (long) DEVICE << 32 | 0xabcd_0007L, memory.read64(LOG));
    assertEquals(memory.read64(LOG), memory.read64(LOG + 8));
    assertEquals(1 << 8 | 1 << 10, get(0x2020) & 0x7 << 8);
    assertEquals(List.of(), line, "GAIntEn=0");
    set(0x2020, 1 << 10);
    assertEquals(1 << 8, get(0x2020) & 0x7 << 8);
  }

  @Test
  @DisplayName("GALogIntr=0: the bit alone")
  void quiet() {
    entry(GUEST, PAGE | 0x40);
    ring();
    assertEquals(0, get(0x2048));
    assertEquals(1, memory.read64(PAGE + 0x220));
  }

  @Test
  @DisplayName("a full log stops with GALOverflow, keeps posting, and starts anew with GALogEn")
  void overflow() {
    set(0x18, CONTROL | 1 << 29);
    entry(GUEST | LOGGED, PAGE | 0x40);
    for (int i = 0; i < 512; i++) {
      ring();
    }
    assertEquals(4088, get(0x2048));
    assertEquals(1 << 9, get(0x2020) & 0x3 << 8);
    assertEquals(512, line.size() / 2, "each record, and the end, are told");
    memory.write64(PAGE + 0x220, 0);
    ring();
    assertEquals(1, memory.read64(PAGE + 0x220));
    set(0x2020, 1 << 9);
    set(0x18, CONTROL & ~(1 << 28));
    set(0x2040, 4088);
    set(0x18, CONTROL);
    ring();
    assertEquals(0, get(0x2048));
    assertEquals(1 << 8, get(0x2020) & 0x3 << 8);
  }

  @Test
  @DisplayName(
      "who runs the guest, and the tag, are read anew each time; mode, vector and page are cached")
  void cached() {
    entry(GUEST | RUNNING | 5 << 8, PAGE | 0x40);
    ring();
    memory.write64(ENTRIES + 48, GUEST | RUNNING | 6 << 8);
    memory.write64(ENTRIES + 56, PAGE + 0x1000 | 0x41 | 0x12L << 56);
    ring();
    assertEquals(List.of("doorbell to 0x5", "doorbell to 0x12000006"), told);
    assertEquals(1, memory.read64(PAGE + 0x220), "the former page and vector");
    memory.write64(ENTRIES + 48, GUEST | LOGGED | 7L << 32);
    ring();
    assertEquals(2, told.size());
    assertEquals(7, memory.read64(LOG) & -1L >>> 32);
    memory.write64(ENTRIES + 48, 1 | 6 << 8);
    ring();
    assertEquals(2, told.size(), "still in guest mode, and nobody runs it");
    entry(1 | 6 << 8, 0x41);
    ring();
    assertEquals("vector to 0x6", told.getLast());
  }

  @ParameterizedTest
  @DisplayName("reserved bits, a mode that Control has off, and a page that is not there")
  @CsvSource({
    "1, 89, 220040, 2098000000000012",
    "1, 81, 220140, 2098000000000012",
    "0, 81, 220040, 2098000000000012",
    "1, 81, 8000000000040, 4408000000000012",
    "1, 80, 220040, 2008000000000012"
  })
  void refused(int mode, String low, String high, String event) {
    set(0x18, CONTROL & ~(7 << 25) | mode << 25);
    entry(Long.parseLong(low, 16), Long.parseLong(high, 16));
    assertEquals(BusOutcome.ERROR, ring());
    assertEquals(event, event().split(" ")[0]);
    assertEquals(List.of(), told);
  }
}
