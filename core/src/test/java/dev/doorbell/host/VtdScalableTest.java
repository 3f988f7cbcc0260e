package dev.doorbell.host;

import static dev.doorbell.host.VtdBench.THEM;
import static dev.doorbell.host.VtdBench.US;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.Translator;
import dev.doorbell.explain.MemoryView;
import dev.doorbell.hw.vtd.VtdDriver;
import dev.doorbell.hw.vtd.VtdException;
import dev.doorbell.hw.vtd.VtdFeatures;
import dev.doorbell.hw.vtd.VtdHardware;
import dev.doorbell.hw.vtd.VtdModel;
import dev.doorbell.hw.vtd.VtdSettings;
import dev.doorbell.hw.vtd.VtdTags;
import dev.doorbell.hw.vtd.VtdTranslation;
import dev.doorbell.hw.vtd.VtdWalk;
import dev.doorbell.hw.vtd.VtdWalker;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Protection;
import dev.doorbell.simple.ModelRegisters;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("VT-d 3.4.3: scalable mode, driver and model")
class VtdScalableTest {
  private static final List<Long> IDS = List.of(0L, 2L);
  private static final long PAGE = 0x1000;
  private static final long RTADDR = 0x20;
  private static final long FRCD = 0x228;
  private static final long FREE = 0x1a00_0000L;

  private static VtdBench bench(VtdTranslation translation) {
    return new VtdBench(IDS, UnaryOperator.identity(), translation);
  }

  private static long entry(VtdBench bench, int sourceId) {
    long root = bench.model.read(RTADDR, 8).value() & -PAGE;
    long half = bench.memory.read64(root + (sourceId >>> 8) * 16L + (sourceId >>> 4 & 8));
    long context = bench.memory.read64((half & -PAGE) + (sourceId & 0x7f) * 32L);
    return bench.memory.read64(context & -PAGE) & -PAGE;
  }

  private static VtdWalk walk(VtdBench bench, int sourceId, long iova, boolean write) {
    Map<String, Long> registers =
        Map.of(
            "GSTS",
            bench.model.read(0x1c, 4).value(),
            "RTADDR",
            bench.model.read(RTADDR, 8).value());
    MemoryView memory = pa -> OptionalLong.of(bench.memory.read64(pa));
    return new VtdWalker("vt-d", registers, memory).dma(sourceId, new Iova(iova), write);
  }

  @ParameterizedTest
  @EnumSource(
      value = VtdTranslation.class,
      names = {"SECOND_STAGE", "FIRST_STAGE"})
  @DisplayName(
      "a function is blocked, attached, moved, let pass and blocked again; nothing of the former answers, and each fault has its reason")
  void life(VtdTranslation translation) {
    VtdBench bench = bench(translation);
    int absent = translation == VtdTranslation.FIRST_STAGE ? 0x71 : 0x79;
    assertEquals(Translator.FAULT, bench.write(US, PAGE));
    assertEquals(List.of(0x39), bench.faults());
    AddressSpace a = bench.driver.createAddressSpace(Granule.K4);
    AddressSpace b = bench.driver.createAddressSpace(Granule.K4);
    a.map(new Iova(PAGE), new Pa(0xa000), PAGE, Protection.READ_WRITE);
    b.map(new Iova(PAGE), new Pa(0xb000), PAGE, Protection.READ_ONLY);
    bench.driver.attach(US, a);
    assertEquals(0xa008, bench.write(US, PAGE + 8));
    assertEquals(Translator.FAULT, bench.write(US, 2 * PAGE));
    assertEquals(Translator.FAULT, bench.write(US + 1, PAGE));
    assertEquals(Translator.FAULT, bench.write(THEM, PAGE));
    assertEquals(List.of(absent, 0x41, 0x39), bench.faults());
    bench.driver.attach(US, b);
    assertEquals(0xb008, bench.read(US, PAGE + 8));
    assertEquals(Translator.FAULT, bench.write(US, PAGE + 8));
    assertEquals(List.of(0x85), bench.faults());
    bench.driver.bypass(US);
    assertEquals(PAGE, bench.write(US, PAGE));
    bench.driver.block(US);
    assertEquals(Translator.FAULT, bench.write(US, PAGE));
    assertEquals(List.of(0x59), bench.faults());
    a.close();
    b.close();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6})
  @DisplayName(
      "after any sequence of mapping and unmapping in large and small pages, unit and walker see what a plain map of pages has")
  void property(long seed) {
    VtdTranslation translation =
        seed % 2 == 0 ? VtdTranslation.FIRST_STAGE : VtdTranslation.SECOND_STAGE;
    VtdBench bench = bench(translation);
    Random dice = new Random(seed);
    AddressSpace s = bench.driver.createAddressSpace(Granule.K4);
    bench.driver.attach(US, s);
    long before = bench.frames.bytesInUse();
    TreeMap<Long, Long> pages = new TreeMap<>();
    for (int step = 0; step < 60; step++) {
      long from = dice.nextInt(1600);
      long count = 1 + dice.nextInt(dice.nextBoolean() ? 4 : 1200);
      if (dice.nextInt(3) > 0 && pages.subMap(from, from + count).isEmpty()) {
        long pa = dice.nextBoolean() ? from + 0x10_0000 : dice.nextInt(1 << 20);
        s.map(new Iova(from * PAGE), new Pa(pa * PAGE), count * PAGE, Protection.READ_WRITE);
        for (long p = 0; p < count; p++) {
          pages.put(from + p, pa + p);
        }
      } else {
        s.unmap(new Iova(from * PAGE), count * PAGE);
        pages.subMap(from, from + count).clear();
      }
      for (int i = 0; i < 30; i++) {
        long p = dice.nextInt(2900);
        boolean mapped = pages.containsKey(p);
        long expected = mapped ? pages.get(p) * PAGE + 8 : Translator.FAULT;
        assertEquals(expected, bench.write(US, p * PAGE + 8), "page " + p + " step " + step);
        assertEquals(
            mapped ? Optional.of(new Pa(expected)) : Optional.empty(),
            walk(bench, US, p * PAGE + 8, true).output());
      }
    }
    s.unmap(new Iova(0), 4096 * PAGE);
    assertEquals(before, bench.frames.bytesInUse());
  }

  @Test
  @DisplayName("planted: a PASID entry that changes without an invalidation is used as it was")
  void withoutInvalidation() {
    VtdBench bench = bench(VtdTranslation.FIRST_STAGE);
    AddressSpace s = bench.driver.createAddressSpace(Granule.K4);
    s.map(new Iova(PAGE), new Pa(0xa000), PAGE, Protection.READ_WRITE);
    bench.driver.attach(US, s);
    assertEquals(0xa000, bench.write(US, PAGE));
    bench.memory.write64(entry(bench, US), 0);
    assertEquals(0xa000, bench.write(US, PAGE));
    bench.driver.block(US);
    assertEquals(Translator.FAULT, bench.write(US, PAGE), "the driver has its tables forgotten");
  }

  /// A unit whose tables the test writes: requester US, PASID 5 and requests without one (PASID 0) by entries at FREE + 0x3000.
  private static VtdBench handmade() {
    VtdBench bench = bench(VtdTranslation.SECOND_STAGE);
    AddressSpace s = bench.driver.createAddressSpace(Granule.K4);
    bench.driver.attach(US, s);
    return bench;
  }

  private static void pasid(VtdBench bench, int pasid, long low, long domain, long third) {
    long at = entry(bench, US) + pasid * 64L;
    bench.memory.write64(at + 8, domain);
    bench.memory.write64(at + 16, third);
    bench.memory.write64(at, low);
  }

  private static void enablePasids(VtdBench bench) {
    long root = bench.model.read(RTADDR, 8).value() & -PAGE;
    long half = bench.memory.read64(root + (US >>> 8) * 16L);
    long context = (half & -PAGE) + (US & 0x7f) * 32L;
    bench.memory.write64(context, bench.memory.read64(context) | 8);
  }

  private static long withPasid(VtdBench bench, int pasid, long iova, int access) {
    return bench.model.translate(US, pasid, iova, access);
  }

  @Test
  @DisplayName(
      "VT-d 7.1.3: requests with a PASID: off in the context entry, beyond the directory, absent; the record has PP and PV")
  void pasids() {
    VtdBench bench = handmade();
    assertEquals(Translator.FAULT, withPasid(bench, 5, PAGE, Translator.WRITE));
    long high = bench.model.read(FRCD, 8).value();
    assertEquals(1, high >>> 31 & 1);
    assertEquals(5, high >>> 40 & 0xf_ffff);
    assertEquals(List.of(0x45), bench.faults());
    VtdBench on = handmade();
    enablePasids(on);
    assertEquals(Translator.FAULT, withPasid(on, 1 << 13, PAGE, Translator.WRITE));
    assertEquals(Translator.FAULT, withPasid(on, 64, PAGE, Translator.WRITE));
    assertEquals(Translator.FAULT, withPasid(on, 5, PAGE, Translator.WRITE));
    assertEquals(List.of(0x46, 0x51, 0x59), on.faults());
    pasid(on, 5, 1 | 0b100 << 6, 77, 0);
    assertEquals(0x7000, withPasid(on, 5, 0x7000, Translator.WRITE));
    pasid(on, 6, 1 | 0b111 << 6, 77, 0);
    pasid(on, 7, 1 | 1 << 10 | 0b100 << 6, 77, 0);
    assertEquals(Translator.FAULT, withPasid(on, 6, PAGE, Translator.READ));
    assertEquals(Translator.FAULT, withPasid(on, 7, PAGE, Translator.READ));
    assertEquals(List.of(0x5b, 0x5a), on.faults());
  }

  @Test
  @DisplayName(
      "VT-d 3.6 and 3.8: the first stage of four levels, canonical both ways, sets A and D; nested, its tables and pages go through the second")
  void nested() {
    VtdBench bench = handmade();
    enablePasids(bench);
    long user = 7;
    // First stage: root at GPA 0, through the page at 0x1000 and 0x2000, to level 1 at 0x3000.
    long top = 511;
    bench.memory.write64(FREE + top * 8, user | 0x1000);
    bench.memory.write64(FREE + 0x1000 + top * 8, user | 0x2000);
    bench.memory.write64(FREE + 0x2000 + top * 8, user | 0x3000);
    bench.memory.write64(FREE + 0x3000 + top * 8, user | 0x9000);
    bench.memory.write64(FREE + 0x3000 + 510 * 8, 5 | 0xa000);
    // Second stage: GPA 0 to 2 MiB at FREE.
    long second = FREE + 0x10_0000;
    bench.memory.write64(second, 3 | second + 0x1000);
    bench.memory.write64(second + 0x1000, 3 | second + 0x2000);
    bench.memory.write64(second + 0x2000, 3 | 1 << 7 | FREE);
    pasid(bench, 5, 1 | 0b010 << 2 | 0b011 << 6 | 1 << 9 | second, 77, 0);
    assertEquals(FREE + 0x9123, withPasid(bench, 5, -PAGE + 0x123, Translator.READ));
    assertEquals(0x20, bench.memory.read64(FREE + 0x3000 + top * 8) & 0x60, "A, and no D");
    assertEquals(FREE + 0x9123, withPasid(bench, 5, -PAGE + 0x123, Translator.WRITE));
    assertEquals(0x60, bench.memory.read64(FREE + 0x3000 + top * 8) & 0x60, "A and D");
    assertEquals(0x300, bench.memory.read64(second + 0x2000) & 0x300, "A and D of the second");
    assertEquals(Translator.FAULT, withPasid(bench, 5, -2 * PAGE, Translator.WRITE));
    assertEquals(Translator.FAULT, withPasid(bench, 5, 1L << 47, Translator.READ));
    assertEquals(Translator.FAULT, withPasid(bench, 5, 0, Translator.READ));
    assertEquals(List.of(0x85, 0x80, 0x71), bench.faults());
    bench.memory.write64(FREE, 1);
    assertEquals(Translator.FAULT, withPasid(bench, 5, 0, Translator.READ));
    bench.memory.write64(FREE, user | 0x20_0000);
    assertEquals(Translator.FAULT, withPasid(bench, 5, 0, Translator.READ));
    bench.memory.write64(FREE, user | 1L << 50);
    assertEquals(Translator.FAULT, withPasid(bench, 5, 0, Translator.READ));
    bench.memory.write64(FREE, user | 1 << 7);
    assertEquals(Translator.FAULT, withPasid(bench, 5, 0, Translator.READ));
    assertEquals(List.of(0x81, 0x76, 0x74, 0x72), bench.faults());
    bench.memory.write64(FREE + 0x3000 + 509 * 8, user | 0x20_0000);
    assertEquals(Translator.FAULT, withPasid(bench, 5, -3 * PAGE, Translator.READ));
    bench.memory.write64(second + 0x2000 + 8, 3 | 1 << 7 | 0xfee0_0000L);
    assertEquals(Translator.FAULT, withPasid(bench, 5, -3 * PAGE, Translator.READ));
    assertEquals(List.of(0x79, 0x87), bench.faults());
  }

  /// Entries are written as numbers: bit 0 is R, bit 1 W.
  @ParameterizedTest
  @CsvSource({
    "3, 1, WRITE, 85",
    "1, 3, WRITE, 85",
    "3, 2, READ, 86",
    "2, 3, READ, 86",
    "3, 0, READ, 79",
    "0, 3, WRITE, 79",
    "1, 2, READ, 79",
    "2, 1, WRITE, 79"
  })
  @DisplayName(
      "VT-d 7.1.3: 79h where entries have neither R nor W in common, else 85h and 86h; the walker says the same")
  void secondStagePermissions(int upper, int lower, String access, String reason) {
    VtdBench bench = handmade();
    long tables = FREE + 0x10_0000;
    bench.memory.write64(tables, upper | tables + 0x1000);
    bench.memory.write64(tables + 0x1000, 3 | tables + 0x2000);
    bench.memory.write64(tables + 0x2000, lower | 1 << 7 | FREE);
    bench.memory.write64(entry(bench, US) + 8, 77);
    bench.memory.write64(entry(bench, US), 1 | 0b010 << 2 | 0b010 << 6 | tables);
    boolean write = access.equals("WRITE");
    assertEquals(Translator.FAULT, write ? bench.write(US, PAGE) : bench.read(US, PAGE));
    assertEquals(List.of(Integer.parseInt(reason, 16)), bench.faults());
    String told = walk(bench, US, PAGE, write).stoppedAt().orElseThrow();
    assertTrue(told.startsWith("fault " + reason + "h"), told);
  }

  @Test
  @DisplayName(
      "VT-d 7.1.3: a second-stage table that cannot be read is 7Bh at the root and 78h below it")
  void unreadableSecondStage() {
    VtdBench bench = handmade();
    long tables = FREE + 0x10_0000;
    long nowhere = 1L << 40;
    bench.memory.write64(entry(bench, US) + 8, 77);
    bench.memory.write64(entry(bench, US), 1 | 0b010 << 2 | 0b010 << 6 | nowhere);
    assertEquals(Translator.FAULT, bench.read(US, PAGE));
    assertEquals(List.of(0x7b), bench.faults());
    VtdBench other = handmade();
    other.memory.write64(tables, 3 | nowhere);
    other.memory.write64(entry(other, US) + 8, 77);
    other.memory.write64(entry(other, US), 1 | 0b010 << 2 | 0b010 << 6 | tables);
    assertEquals(Translator.FAULT, other.read(US, PAGE));
    assertEquals(List.of(0x78), other.faults());
  }

  @Test
  @DisplayName("what lies in the interrupt address range is no memory: fault 87h")
  void interruptRange() {
    VtdBench bench = bench(VtdTranslation.FIRST_STAGE);
    AddressSpace s = bench.driver.createAddressSpace(Granule.K4);
    s.map(new Iova(PAGE), new Pa(0xfee0_0000L), PAGE, Protection.READ_WRITE);
    bench.driver.attach(US, s);
    assertEquals(Translator.FAULT, bench.write(US, PAGE));
    assertEquals(List.of(0x87), bench.faults());
  }

  @Test
  @DisplayName("a unit without scalable mode is refused by name, and keeps TTM's other modes shut")
  void without() {
    VtdBench bench = bench(VtdTranslation.LEGACY);
    assertEquals(Translator.FAULT, withPasid(bench, 5, PAGE, Translator.WRITE));
    assertEquals(List.of(0x31), bench.faults());
    VtdModel legacy = new VtdModel(VtdFeatures.of(48, true), bench.memory, bench.cpus);
    VtdException e =
        assertThrows(
            VtdException.class,
            () ->
                VtdDriver.open(
                    new VtdHardware(
                        "vt-d@0xfed91000", new ModelRegisters(legacy), bench.memory, bench.frames),
                    new VtdSettings(new VtdTags(), false, false).with(VtdTranslation.FIRST_STAGE)));
    assertTrue(e.getMessage().contains("without scalable mode (SMTS)"), e.getMessage());
    assertTrue(e.refusal().advice().contains("stage 2"), e.refusal().advice());
  }

  @ParameterizedTest
  @ValueSource(longs = {21, 22, 23, 24})
  @DisplayName("hostile tables of scalable mode end in recorded faults, never in anything else")
  void hostile(long seed) {
    VtdBench bench = handmade();
    enablePasids(bench);
    Random dice = new Random(seed);
    for (int i = 0; i < 4096; i++) {
      long word = dice.nextInt(3) == 0 ? dice.nextLong() : FREE | dice.nextInt(0x8000);
      bench.memory.write64(FREE + 8L * i, word);
    }
    for (int step = 0; step < 4000; step++) {
      int pasid = dice.nextInt(64);
      long low = dice.nextBoolean() ? 1 | dice.nextInt(0x400) : dice.nextLong() | 1;
      pasid(
          bench,
          pasid,
          low & 0xfffL | FREE + dice.nextInt(8) * PAGE,
          dice.nextInt(3),
          dice.nextInt(64) | FREE + dice.nextInt(8) * PAGE);
      long iova = dice.nextBoolean() ? dice.nextInt() : dice.nextLong();
      long pa =
          withPasid(
              bench,
              pasid == 0 ? -1 : pasid,
              iova,
              dice.nextBoolean() ? Translator.READ : Translator.WRITE);
      assertTrue(pa == Translator.FAULT || pa >>> 57 == 0, () -> Long.toHexString(pa));
      bench.faults();
    }
  }
}
