package dev.doorbell.hw.phb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.Translator;
import dev.doorbell.explain.MemoryView;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Domain;
import dev.doorbell.iommu.DomainPolicy;
import dev.doorbell.iommu.OutsideAperture;
import dev.doorbell.iommu.Protection;
import dev.doorbell.simple.ModelRegisters;
import dev.doorbell.testkit.Property;
import dev.doorbell.testkit.SeededRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("the two windows of a PE, and how deep their tables are")
class PhbWindowsTest {
  private static final int RID = 5;
  private static final long SECOND = 1L << 59;

  private final Phb4Bench bench = new Phb4Bench();
  private final Phb4Driver driver = bench.driver;

  @ParameterizedTest
  @DisplayName("size and pages of a window give one to five levels, and entries of a table")
  @CsvSource({
    // page, bits of window, levels, bits of a table
    "12, 13, 1, 9",
    "12, 21, 1, 9",
    "12, 22, 2, 9",
    "12, 31, 3, 9",
    "12, 48, 4, 9",
    "12, 54, 5, 9",
    "16, 29, 1, 13",
    "16, 31, 2, 9",
    "16, 48, 3, 11",
    "16, 54, 3, 13",
    "21, 34, 1, 13",
    "24, 54, 3, 10",
    "28, 31, 1, 9",
    "30, 48, 2, 9",
    "30, 54, 2, 12",
  })
  void shapes(int page, int bits, int levels, int each) {
    try (AddressSpace s =
        PhbAddressSpace.create(
            bench.memory, bench.frames, new Granule(page), List.of(below(0, bits)))) {
      long tve = ((PhbAddressSpace) s).tves().first();
      assertEquals(levels - 1, TveLayout.NUM_LEVELS.getInt(tve));
      assertEquals(each, TveLayout.entriesShift(tve));
      assertEquals(page, TveLayout.pageShift(tve));
      assertEquals(
          0, TveLayout.table(tve) % (8L << each), "a table lies at a multiple of its size");
      assertEquals(1L << page + levels * each, s.aperture().bytes());
      assertEquals(1L << page, s.pageSizes());
    }
  }

  private static AddressRange below(long start, int bits) {
    return AddressRange.ofSize(start, 1L << bits);
  }

  @Test
  @DisplayName("unless somebody chooses there are both, and what lies between them is nobody's")
  void both() {
    try (Domain d = Domain.create("d", DomainPolicy.USER, driver, Granule.K4)) {
      assertEquals(List.of(below(0, 48), below(SECOND, 48)), d.iovaRanges());
      d.map(new Iova(SECOND), new Pa(0x2000_0000L), 0x1000, Protection.READ_WRITE);
      OutsideAperture e =
          assertThrows(
              OutsideAperture.class,
              () -> d.map(new Iova(1L << 48), new Pa(0x2000_0000L), 0x1000, Protection.READ_WRITE));
      assertEquals(
          "mapping of 0x1000 bytes at IOVA 0x1000000000000 does not fit the aperture %s and %s of d"
              .formatted(below(0, 48), below(SECOND, 48)),
          e.getMessage());
    }
  }

  @ParameterizedTest
  @DisplayName("a window that is not wanted stays closed")
  @CsvSource({"0, 31", "576460752303423488, 40"})
  void one(long start, int bits) {
    try (AddressSpace s = driver.createAddressSpace(Granule.K4, List.of(below(start, bits)))) {
      driver.attach(RID, s);
      assertEquals(start, s.aperture().start());
      assertEquals(1, s.iovas().size());
      s.map(new Iova(start), new Pa(0x2000_0000L), 0x1000, Protection.READ_WRITE);
      assertEquals(0x2000_0000L, bench.write(RID, start));
      assertEquals(Translator.FAULT, bench.write(RID, start ^ SECOND));
      assertTrue(driver.stopped(RID).orElseThrow().cause().contains("IODA3_ERROR"));
      driver.block(RID);
    }
  }

  @Test
  @DisplayName(
      "more than a window can be made to hold is refused by name, and no memory stays taken")
  void tooLarge() {
    long before = bench.frames.bytesInUse();
    for (AddressRange wanted : List.of(below(0, 58), below(SECOND, 58), new AddressRange(0, -1))) {
      OutsideAperture e =
          assertThrows(
              OutsideAperture.class,
              () -> Domain.create("d", DomainPolicy.USER, driver, Granule.K4, List.of(wanted)));
      assertTrue(e.getMessage().startsWith("wanted IOVAs " + wanted), e.getMessage());
    }
    assertEquals(before, bench.frames.bytesInUse());
  }

  @Test
  @DisplayName("untranslated: the physical address, with and without bit 59")
  void untranslated() {
    driver.bypass(RID);
    assertEquals(0x1234_5000L, bench.write(RID, 0x1234_5000L));
    assertEquals(0x1234_5000L, bench.write(RID, SECOND | 0x1234_5000L));
    assertEquals(Translator.FAULT, bench.write(RID, SECOND | 1L << 50));
  }

  @Test
  @DisplayName(
      "property: of windows of any size and depth, model, walker and the tables themselves tell what a plain map holds, to their last page and not beyond")
  void property() {
    Set<Integer> levels = new TreeSet<>();
    Property.check("windows", 80, random -> random(random, levels));
    assertEquals(Set.of(1, 2, 3, 4, 5), levels);
  }

  private void random(SeededRandom random, Set<Integer> levels) {
    Granule page = random.pick(driver.capabilities().granules());
    List<AddressRange> wanted = new ArrayList<>();
    for (long start : new long[] {0, SECOND}) {
      if (wanted.isEmpty() || random.nextBoolean()) {
        wanted.add(below(start, random.between(page.shift(), TceWindow.MOST_BITS)));
      }
    }
    long before = bench.frames.bytesInUse();
    AddressSpace s = driver.createAddressSpace(page, wanted);
    driver.attach(RID, s);
    for (int i = 0; i < s.iovas().size(); i++) {
      long tve = driver.own().get("TVT" + TveLayout.index(1, s.iovas().get(i).start()));
      levels.add(TveLayout.NUM_LEVELS.getInt(tve) + 1);
    }
    Map<Long, Long> expected = new TreeMap<>();
    for (int step = 0; step < 30; step++) {
      long at = iova(random, s, page);
      if (expected.remove(at) != null) {
        assertEquals(page.bytes(), s.unmap(new Iova(at), page.bytes()));
      } else {
        long pa = random.between(1, 0xff) * page.bytes();
        s.map(new Iova(at), new Pa(pa), page.bytes(), Protection.READ_WRITE);
        expected.put(at, pa);
      }
      same(expected, s, iova(random, s, page));
      same(expected, s, at);
      beyond(random.pick(s.iovas()));
    }
    for (long at : expected.keySet()) {
      s.unmap(new Iova(at), page.bytes());
    }
    driver.block(RID);
    s.close();
    assertEquals(before, bench.frames.bytesInUse());
  }

  /// {@return one of the first, some, or the last page of a window}
  private static long iova(SeededRandom random, AddressSpace s, Granule page) {
    AddressRange w = random.pick(s.iovas());
    int pages = (int) Math.min(w.bytes() / page.bytes(), 4);
    long near = random.below(pages) * page.bytes();
    return switch (random.below(3)) {
      case 0 -> w.start() + near;
      case 1 -> w.last() - (page.bytes() - 1) - near;
      default -> w.start() + page.alignDown(w.bytes() / 2);
    };
  }

  private void same(Map<Long, Long> expected, AddressSpace s, long at) {
    long pa = expected.getOrDefault(at, Translator.FAULT);
    long want = pa == Translator.FAULT ? pa : pa + 0x18;
    assertEquals(want, bench.write(RID, at + 0x18), Long.toHexString(at));
    driver.thaw(RID);
    assertEquals(want, walked(at + 0x18), Long.toHexString(at));
    assertEquals(want, s.translate(new Iova(at + 0x18)).map(Pa::value).orElse(Translator.FAULT));
  }

  private void beyond(AddressRange window) {
    long at = window.last() + 1;
    assertEquals(Translator.FAULT, bench.write(RID, at));
    driver.thaw(RID);
    assertEquals(Translator.FAULT, walked(at));
  }

  private long walked(long at) {
    Map<String, Long> registers = new TreeMap<>(driver.own());
    registers.put(
        "RTT_BAR", new ModelRegisters(bench.model).read64(Phb4Registers.RTT_BAR.offset()));
    MemoryView view = pa -> OptionalLong.of(bench.memory.read64(pa));
    return new PhbWalker("phb4", registers, view)
        .dma(RID, at, true)
        .output()
        .map(Pa::value)
        .orElse(Translator.FAULT);
  }
}
