package dev.doorbell.hw.riscviommu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.Translator;
import dev.doorbell.hw.riscviommu.RiscvIommuGuest.Files;
import dev.doorbell.hw.riscviommu.RiscvIommuGuest.Resident;
import dev.doorbell.iommu.Protection;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName(
    "RISC-V IOMMU 1.0, 2.3.3: a guest's interrupt files, as the driver's MSI page table leads to them")
class RiscvGuestFilesTest {
  private static final int DEVICE = 0x1_0428;
  private static final long FAULT = Translator.FAULT;
  private static final long GUESTS = 0x2800_0000L;

  /// Pages of harts' files for guests.
  private static final Pa ONE = new Pa(0x2400_1000L);

  private static final Pa OTHER = new Pa(0x2400_3000L);
  private static final Pa NOTICE = new Pa(0x2400_0000L);

  private static final long MRIF = RiscvBench.MEMORY + 0xa00_0000L;
  private static final Resident IN_MEMORY = new Resident(new Pa(MRIF), NOTICE, 0x7ff);

  private final RiscvBench bench = new RiscvBench();
  private final RiscvIommuDriver iommu = bench.iommu;

  /// Four files: two of each of two harts, which are 16 pages from one another.
  private final RiscvIommuGuest guest = iommu.createGuest(new Files(new Iova(GUESTS), 0b10001));

  @BeforeEach
  void attach() {
    iommu.attach(DEVICE, guest.memory());
  }

  private long write(long gpa) {
    return bench.write(DEVICE, -1, gpa);
  }

  private BusOutcome message(long gpa, int datum) {
    return bench.model.message(DEVICE, gpa, datum, Integer.BYTES);
  }

  @Test
  @DisplayName(
      "each file's page leads where it was told, pages beside them to the guest's memory, and files that lead nowhere fault")
  void files() {
    guest
        .memory()
        .map(new Iova(GUESTS + 0x2000), new Pa(0x9_0000_0000L), 0x1000, Protection.READ_WRITE);
    guest.lead(0, ONE);
    guest.lead(3, OTHER);
    assertEquals(ONE.value(), write(GUESTS));
    assertEquals(OTHER.value() | 4, write(GUESTS + 0x1_1000 + 4));
    assertEquals(0x9_0000_0000L, write(GUESTS + 0x2000));
    assertEquals(FAULT, write(GUESTS + 0x1000));
    assertEquals(262, iommu.drainFaults().getFirst().cause());
    assertEquals(FAULT, write(GUESTS + 0x2_0000), "no file of the guest's");
    guest.lead(0, OTHER);
    assertEquals(OTHER.value(), write(GUESTS));
    guest.end(0);
    assertEquals(FAULT, write(GUESTS));
    assertEquals(OTHER.value(), write(GUESTS + 0x1_1000));
    iommu.block(DEVICE);
    guest.memory().close();
    iommu.close();
    assertEquals(0, bench.frames.bytesInUse());
  }

  @Test
  @DisplayName(
      "a file in memory: the identity is pending there, and the notice goes out with its identity; the hart's file then takes over")
  void resident() {
    guest.lead(2, IN_MEMORY);
    assertEquals(Translator.MESSAGE, write(GUESTS + 0x1_0000));
    assertEquals(BusOutcome.OK, message(GUESTS + 0x1_0000, 70));
    assertEquals(List.of("0x24000000 0x7ff"), bench.messages);
    assertEquals(1L << 6, bench.memory.read64(MRIF + 16));
    guest.lead(2, ONE);
    assertEquals(ONE.value(), write(GUESTS + 0x1_0000));
    guest.lead(2, new Resident(new Pa(MRIF), OTHER, 5));
    assertEquals(BusOutcome.OK, message(GUESTS + 0x1_0000, 1));
    assertEquals("0x24003000 0x5", bench.messages.getLast());
    assertEquals(2L, bench.memory.read64(MRIF));
  }

  @Test
  @DisplayName(
      "below a guest's own first stage the files are where the guest's tables lead to them")
  void nested() {
    GuestTables tables = new GuestTables(bench.memory, GuestTables.BASE);
    tables.mapInto(guest.memory());
    tables.map(0, 0x10_0000, GUESTS);
    tables.map(1, 0x10_0000, GUESTS + 0x1000);
    guest.lead(0, ONE);
    guest.lead(1, IN_MEMORY);
    iommu.nest(DEVICE, tables.processes());
    assertEquals(ONE.value(), write(0x10_0000));
    assertEquals(Translator.MESSAGE, bench.write(DEVICE, GuestTables.PROCESS, 0x10_0000));
    guest.lead(0, OTHER);
    assertEquals(OTHER.value(), write(0x10_0000), "what was made of both stages is gone");
    guest.end(0);
    assertEquals(FAULT, write(0x10_0000));
  }

  @ParameterizedTest(name = "from {0} to {1}")
  @CsvSource({
    "one, other",
    "one, memory",
    "memory, one",
    "memory, told",
    "none, memory",
    "one, none"
  })
  @DisplayName(
      "a message that comes while a file moves is at the old place or at the new one, whole: no message is lost, and none is noticed elsewhere than it is recorded")
  void movesInFlight(String from, String to) {
    place(from);
    List<String> allowed = List.of(arrives(), to(from, to));
    int[] looks = new int[1];
    bench.memory.onWrite((pa, before, after) -> {
      if (looks[0] >= 0) {
        looks[0] = -looks[0] - 1;
        String now = arrives();
        assertTrue(allowed.contains(now), () -> now + " is none of " + allowed);
        looks[0] = -looks[0];
      }
    });
    place(to);
    bench.failNever();
    assertEquals(allowed.getLast(), arrives());
    assertTrue(looks[0] > 0);
  }

  private String to(String from, String to) {
    place(to);
    String there = arrives();
    place(from);
    return there;
  }

  private void place(String where) {
    switch (where) {
      case "one" -> guest.lead(0, ONE);
      case "other" -> guest.lead(0, OTHER);
      case "memory" -> guest.lead(0, IN_MEMORY);
      case "told" -> guest.lead(0, new Resident(new Pa(MRIF), OTHER, 9));
      default -> guest.end(0);
    }
  }

  /// {@return what becomes of a message}
  private String arrives() {
    long pa = write(GUESTS);
    if (pa != Translator.MESSAGE) {
      return Long.toHexString(pa);
    }
    bench.messages.clear();
    BusOutcome outcome = message(GUESTS, 3);
    String told =
        "%s, %s, pending %x".formatted(outcome, bench.messages, bench.memory.read64(MRIF));
    bench.memory.write64(MRIF, 0);
    return told;
  }

  @Test
  @DisplayName(
      "a file in memory that moves and is told elsewhere is never recorded at one place and noticed at the other")
  void movesWithNotice() {
    guest.lead(0, IN_MEMORY);
    Resident next = new Resident(new Pa(MRIF + 0x200), OTHER, 9);
    boolean[] busy = new boolean[1];
    bench.memory.onWrite((pa, before, after) -> {
      if (!busy[0]) {
        busy[0] = true;
        bench.messages.clear();
        BusOutcome outcome = message(GUESTS, 3);
        boolean old = bench.memory.read64(MRIF) != 0;
        boolean moved = bench.memory.read64(MRIF + 0x200) != 0;
        bench.memory.write64(MRIF, 0);
        bench.memory.write64(MRIF + 0x200, 0);
        List<String> expected =
            outcome == BusOutcome.ERROR
                ? List.of()
                : List.of(old ? "0x24000000 0x7ff" : "0x24003000 0x9");
        assertEquals(expected, bench.messages);
        assertEquals(outcome == BusOutcome.OK, old != moved);
        busy[0] = false;
      }
    });
    guest.lead(0, next);
    bench.failNever();
    assertEquals(BusOutcome.OK, message(GUESTS, 3));
    assertEquals(8, bench.memory.read64(MRIF + 0x200));
  }

  @Test
  @DisplayName(
      "7.3.3: an entry that changes is followed by IOTINVAL.GVMA of its guest and its file's address; the notice is there, and walks have ended, before the entry leads to memory")
  void order() {
    guest.lead(3, ONE);
    long table = entry(3) & -0x1000L;
    bench.commands.clear();
    StringBuilder story = new StringBuilder();
    bench.memory.onWrite((pa, before, after) -> {
      if (pa >>> 12 == table >>> 12) {
        story.append(pa % 16 == 0 ? "1" : "2").append(bench.commands.size());
      }
    });
    guest.lead(3, IN_MEMORY);
    bench.failNever();
    String gvma =
        "%x %x".formatted(1L | 1 << 7 | 1 << 10 | 1L << 33 | 1L << 44, (GUESTS + 0x1_1000) >>> 2);
    assertEquals(List.of(gvma, gvma), bench.commands);
    assertEquals("2011", story.toString(), "with so many commands before each");
  }

  /// {@return where the walk found a file's entry: it reads its first doubleword last}
  private long entry(int file) {
    long context = 0;
    for (long at = RiscvBench.MEMORY; at < RiscvBench.MEMORY + 0x10_0000; at += 64) {
      boolean flat = bench.memory.read64(at) == 1 && bench.memory.read64(at + 32) >>> 60 == 1;
      context = flat && bench.memory.read64(at + 40) == 0b10001 ? at : context;
    }
    assertTrue(context != 0);
    return (bench.memory.read64(context + 32) & 0xfff_ffff_ffffL) << 12 | 16L * file;
  }

  @Test
  @DisplayName("with a write that fails a file is where it was")
  void failures() {
    for (String from : List.of("none", "one", "memory")) {
      for (String to : List.of("one", "other", "memory", "told", "none")) {
        place(from);
        String before = arrives();
        boolean failed = true;
        for (int at = 0; failed; at++) {
          assertTrue(at < 100);
          bench.failAt(at, () -> {});
          try {
            place(to);
            failed = false;
          } catch (BusErrorException expected) {
            bench.failNever();
            assertEquals(before, arrives(), from + " to " + to);
          }
        }
        bench.failNever();
      }
    }
  }

  @Test
  @DisplayName("what is not of the guest or cannot be is refused with its figures")
  void refusals() {
    assertEquals(
        "interrupt file 4; the guest has 4 from 0 on",
        assertThrows(IllegalArgumentException.class, () -> guest.lead(4, ONE)).getMessage());
    assertThrows(IllegalArgumentException.class, () -> guest.end(-1));
    assertThrows(IllegalArgumentException.class, () -> guest.lead(0, new Pa(0x2400_1004L)));
    assertThrows(IllegalArgumentException.class, () -> new Resident(new Pa(MRIF + 8), NOTICE, 0));
    assertThrows(IllegalArgumentException.class, () -> new Resident(new Pa(MRIF), ONE, 2048));
    assertThrows(IllegalArgumentException.class, () -> new Files(new Iova(0x1000), 1));
    assertThrows(IllegalArgumentException.class, () -> new Files(new Iova(0x800), 0));
    assertThrows(IllegalArgumentException.class, () -> new Files(new Iova(0), 1L << 47));
    // Its address would have lost the bit.
    assertThrows(IllegalArgumentException.class, () -> new Files(new Iova(0), 1L << 52));
    assertThrows(IllegalArgumentException.class, () -> new Files(new Iova(0), 0x1_ffffL));
    String why =
        assertThrows(
                IllegalArgumentException.class,
                () ->
                    guest
                        .memory()
                        .map(
                            new Iova(GUESTS + 0x2000),
                            new Pa(0x9_0000_0000L),
                            0x1_0000,
                            Protection.READ_WRITE))
            .getMessage();
    assertTrue(why.contains("meets the guest's interrupt files"), why);
    guest
        .memory()
        .map(new Iova(GUESTS + 0x2000), new Pa(0x9_0000_0000L), 0xe000, Protection.READ_WRITE);
    iommu.block(DEVICE);
    guest.memory().close();
    assertThrows(IllegalArgumentException.class, () -> guest.lead(0, ONE));
  }

  @Test
  @DisplayName(
      "an IOMMU without MSI page tables has no guests with files, and one without files in memory keeps them out")
  void poorHardware() {
    RiscvBench base = new RiscvBench(RiscvIommuFeatures.usual(48).without(3L << 22));
    RiscvIommuUnsupported none =
        assertThrows(
            RiscvIommuUnsupported.class,
            () -> base.iommu.createGuest(new Files(new Iova(GUESTS), 0)));
    assertTrue(none.getMessage().contains("MSI_FLAT"), none.getMessage());
    RiscvBench narrow = new RiscvBench(RiscvIommuFeatures.usual(48).without(3L << 18));
    IllegalArgumentException beyond =
        assertThrows(
            IllegalArgumentException.class,
            () -> narrow.iommu.createGuest(new Files(new Iova(1L << 41), 0)));
    assertTrue(beyond.getMessage().contains("beyond the 41 bits"), beyond.getMessage());
    long idle = narrow.frames.bytesInUse();
    narrow.iommu.createGuest(new Files(new Iova((1L << 41) - 0x1000), 0)).memory().close();
    assertEquals(idle, narrow.frames.bytesInUse());
    RiscvBench flat = new RiscvBench(RiscvIommuFeatures.usual(48).without(1L << 23));
    RiscvIommuGuest second = flat.iommu.createGuest(new Files(new Iova(GUESTS), 0));
    second.lead(0, ONE);
    assertThrows(IllegalArgumentException.class, () -> second.lead(0, IN_MEMORY));
    flat.iommu.attach(1, second.memory());
    assertEquals(ONE.value(), flat.write(1, -1, GUESTS));
  }
}
