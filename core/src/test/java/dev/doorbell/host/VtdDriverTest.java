package dev.doorbell.host;

import static dev.doorbell.host.VtdBench.THEM;
import static dev.doorbell.host.VtdBench.US;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.OutOfFramesException;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.Translator;
import dev.doorbell.hw.vtd.VtdException;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Protection;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.VectorBlock;
import dev.doorbell.simple.ModelRegisters;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VtdDriverTest {
  private static final List<Long> IDS = List.of(0L, 2L, 4L, 6L);
  private static final MsiSource SOURCE = new MsiSource("0000:01:00.0", US);
  private static final long PAGE = 0x1000;
  private static final long FSTS = 0x34;
  private static final long IQT = 0x88;
  private static final long IQA = 0x90;
  private static final long IRTA = 0xb8;

  private final VtdBench bench = new VtdBench(IDS);

  private AddressSpace space() {
    return bench.driver.createAddressSpace(Granule.K4);
  }

  @Test
  @DisplayName("a function without an entry is blocked and the fault recorded with its reason")
  void blocked() {
    assertEquals(Translator.FAULT, bench.write(US, 0x1000));
    assertEquals(List.of(1), bench.faults());
    AddressSpace s = space();
    bench.driver.attach(US, s);
    assertEquals(Translator.FAULT, bench.write(US, 0x1000));
    assertEquals(Translator.FAULT, bench.read(US, 0x1000));
    assertEquals(Translator.FAULT, bench.write(US, 1L << 48));
    assertEquals(List.of(5, 6, 4), bench.faults());
    assertEquals(Translator.FAULT, bench.write(US + 1, 0x1000));
    assertEquals(List.of(2), bench.faults());
  }

  @Test
  @DisplayName(
      "pages of 4 KiB, 2 MiB and 1 GiB; part of one is unmapped, the rest stays, and no stale page answers")
  void pages() {
    AddressSpace s = space();
    bench.driver.attach(US, s);
    long before = bench.frames.bytesInUse();
    s.map(
        new Iova(1L << 30),
        new Pa(3L << 30),
        (1L << 30) + (2L << 20) + PAGE,
        Protection.READ_WRITE);
    assertEquals((3L << 30) + 0x123456, bench.write(US, (1L << 30) + 0x123456));
    assertEquals((4L << 30) + 0x100008, bench.read(US, (2L << 30) + 0x100008));
    assertEquals((4L << 30) + (2L << 20) + 8, bench.read(US, (2L << 30) + (2L << 20) + 8));
    assertEquals(PAGE, s.unmap(new Iova((1L << 30) + 5 * PAGE), PAGE));
    assertEquals(Translator.FAULT, bench.write(US, (1L << 30) + 5 * PAGE));
    assertEquals((3L << 30) + 6 * PAGE, bench.write(US, (1L << 30) + 6 * PAGE));
    assertEquals((3L << 30) + (1L << 29), bench.write(US, (1L << 30) + (1L << 29)));
    s.unmap(new Iova(0), 1L << 40);
    assertEquals(before, bench.frames.bytesInUse());
    assertThrows(
        IllegalArgumentException.class,
        () -> s.map(new Iova(1L << 48), new Pa(0), PAGE, Protection.READ_WRITE));
    assertThrows(IllegalStateException.class, s::close);
    bench.driver.block(US);
    s.close();
  }

  @Test
  @DisplayName(
      "a mapping that meets another, or finds no memory, leaves tables and memory in use as they were")
  void wholeOrNot() {
    AddressSpace s = space();
    bench.driver.attach(US, s);
    s.map(new Iova(0x40_3000), new Pa(0x5000), PAGE, Protection.READ_ONLY);
    long before = bench.frames.bytesInUse();
    assertThrows(
        IllegalArgumentException.class,
        () -> s.map(new Iova(0x3f_f000), new Pa(0x10_0000), 8 * PAGE, Protection.READ_WRITE));
    assertEquals(before, bench.frames.bytesInUse());
    assertTrue(s.translate(new Iova(0x3f_f000)).isEmpty());
    bench.frames.limit(before + PAGE);
    assertThrows(
        OutOfFramesException.class,
        () -> s.map(new Iova(1L << 40), new Pa(0), PAGE, Protection.READ_WRITE));
    assertEquals(before, bench.frames.bytesInUse());
    assertEquals(0x5010, bench.read(US, 0x40_3010));
    assertEquals(Translator.FAULT, bench.write(US, 0x40_3010));
  }

  @Test
  @DisplayName("moving a function between address spaces leaves no translation of the former")
  void replaced() {
    AddressSpace a = space();
    AddressSpace b = space();
    a.map(new Iova(0x1000), new Pa(0xa000), PAGE, Protection.READ_WRITE);
    b.map(new Iova(0x1000), new Pa(0xb000), PAGE, Protection.READ_WRITE);
    bench.driver.attach(US, a);
    assertEquals(0xa000, bench.write(US, 0x1000));
    bench.driver.attach(US, b);
    assertEquals(0xb000, bench.write(US, 0x1000));
    bench.driver.bypass(US);
    assertEquals(0x1000, bench.write(US, 0x1000));
    bench.driver.block(US);
    assertEquals(Translator.FAULT, bench.write(US, 0x1000));
    a.close();
    b.close();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  @DisplayName(
      "after any sequence of mapping and unmapping, hardware sees what a plain map of pages has")
  void property(long seed) {
    Random dice = new Random(seed);
    AddressSpace s = space();
    bench.driver.attach(US, s);
    long before = bench.frames.bytesInUse();
    TreeMap<Long, Long> pages = new TreeMap<>();
    for (int step = 0; step < 150; step++) {
      long from = dice.nextInt(1600);
      long count = 1 + dice.nextInt(dice.nextBoolean() ? 4 : 1200);
      if (dice.nextInt(3) > 0) {
        boolean free = pages.subMap(from, from + count).isEmpty();
        long pa = dice.nextBoolean() ? from + 0x10_0000 : dice.nextInt(1 << 20);
        if (free) {
          s.map(new Iova(from * PAGE), new Pa(pa * PAGE), count * PAGE, Protection.READ_WRITE);
          for (long p = 0; p < count; p++) {
            pages.put(from + p, pa + p);
          }
        } else {
          assertThrows(
              IllegalArgumentException.class,
              () ->
                  s.map(
                      new Iova(from * PAGE),
                      new Pa(pa * PAGE),
                      count * PAGE,
                      Protection.READ_WRITE));
        }
      } else {
        int had = pages.subMap(from, from + count).size();
        assertEquals(had * PAGE, s.unmap(new Iova(from * PAGE), count * PAGE));
        pages.subMap(from, from + count).clear();
      }
      for (int i = 0; i < 40; i++) {
        long p = dice.nextInt(2900);
        long expected = pages.containsKey(p) ? pages.get(p) * PAGE + 8 : Translator.FAULT;
        assertEquals(expected, bench.write(US, p * PAGE + 8), "page " + p + " step " + step);
      }
    }
    s.unmap(new Iova(0), 4096 * PAGE);
    assertEquals(before, bench.frames.bytesInUse());
  }

  @Test
  @DisplayName("a vector's message goes through its IRTE to its CPU; nobody else's write raises it")
  void remapped() {
    VectorBlock block = bench.controller.allocate(SOURCE, 3, false);
    for (int i = 0; i < 3; i++) {
      block.activate(i, i + 1);
    }
    assertEquals(0xfee0_0018L | 2 << 5, block.doorbell(2));
    assertEquals(BusOutcome.OK, bench.ring(US, block.doorbell(2), block.data(2)));
    assertEquals(List.of(List.of(block.number(2), 3)), bench.collect());
    assertEquals(BusOutcome.ERROR, bench.ring(THEM, block.doorbell(2), block.data(2)));
    assertEquals(BusOutcome.ERROR, bench.ring(US, 0xfee0_0018L | 900 << 5, 0));
    assertEquals(BusOutcome.ERROR, bench.ring(US, 0xfee0_2000L, 0x41));
    assertEquals(BusOutcome.ERROR, bench.ring(US, block.doorbell(2), 0x10000));
    assertEquals(List.of(), bench.collect());
    assertEquals(List.of(0x26, 0x22, 0x25, 0x20), bench.faults());
    assertEquals(Translator.FAULT, bench.read(US, block.doorbell(2)));
    assertEquals(BusOutcome.ERROR, bench.model.message(US, block.doorbell(2), 0, 2));
  }

  @Test
  @DisplayName(
      "multi-message MSI: one address, an aligned block of entries, each vector to a CPU of its own")
  void multiMessage() {
    bench.controller.allocate(SOURCE, 1, false);
    VectorBlock block = bench.controller.allocate(SOURCE, 8, true);
    for (int i = 0; i < 8; i++) {
      block.activate(i, i % 4);
      assertEquals(0xfee0_0018L | 8 << 5, block.doorbell(i));
      assertEquals(i, block.data(i));
    }
    for (int i = 0; i < 8; i++) {
      bench.ring(US, block.doorbell(i), block.data(i));
      assertEquals(List.of(List.of(block.number(i), i % 4)), bench.collect());
    }
    block.retarget(5, 3);
    bench.ring(US, block.doorbell(5), block.data(5));
    assertEquals(List.of(List.of(block.number(5), 3)), bench.collect());
  }

  @Test
  @DisplayName(
      "retargeting keeps the message, loses none that was pending, and the former CPU hears no more")
  void retarget() {
    VectorBlock block = bench.controller.allocate(SOURCE, 1, false);
    block.activate(0, 0);
    long address = block.doorbell(0);
    bench.ring(US, address, 0);
    block.retarget(0, 3);
    assertEquals(address, block.doorbell(0));
    assertEquals(List.of(List.of(block.number(0), 0)), bench.collect());
    bench.ring(US, address, 0);
    assertEquals(List.of(List.of(block.number(0), 3)), bench.collect());
    int free = bench.controller.vectorsFree();
    block.free();
    assertEquals(free + 1, bench.controller.vectorsFree());
    assertEquals(BusOutcome.ERROR, bench.ring(US, address, 0));
    assertEquals(List.of(), bench.collect());
  }

  @Test
  @DisplayName("APIC ids above 254 are reached in extended interrupt mode")
  void wide() {
    VtdBench wide = new VtdBench(List.of(0L, 0x1_0003L));
    VectorBlock block = wide.controller.allocate(SOURCE, 1, false);
    block.activate(0, 1);
    wide.ring(US, block.doorbell(0), 0);
    assertEquals(List.of(List.of(block.number(0), 1)), wide.collect());
    assertTrue((wide.model.read(IRTA, 8).value() & 0x800) != 0);
  }

  @Test
  @DisplayName(
      "planted: an IRTE that changes without an invalidation still raises the former vector")
  void withoutInvalidation() {
    VectorBlock block = bench.controller.allocate(SOURCE, 1, false);
    block.activate(0, 1);
    bench.ring(US, block.doorbell(0), 0);
    bench.collect();
    long table = bench.model.read(IRTA, 8).value() & -PAGE;
    long entry = bench.memory.read64(table);
    bench.memory.write64(table, entry & ~0xff_0000L | 0x77_0000L);
    bench.ring(US, block.doorbell(0), 0);
    assertEquals(List.of(List.of(block.number(0), 1)), bench.collect());
  }

  /// What writes memory in the driver's place, with a mistake.
  private static PhysicalMemory mistaken(PhysicalMemory real, long word, long wrong) {
    return new MistakenMemory(real, word, wrong);
  }

  @Test
  @DisplayName(
      "planted: an IRTE that verifies no source-id lets others in, and halves in the wrong order let nobody")
  void planted() {
    VtdBench open = new VtdBench(IDS, m -> mistaken(m, 0x4_0000 | US, US));
    VectorBlock block = open.controller.allocate(SOURCE, 1, false);
    block.activate(0, 1);
    assertEquals(BusOutcome.OK, open.ring(THEM, block.doorbell(0), 0));
    VtdBench swapped = new VtdBench(IDS, m -> mistaken(m, 0x4_0000 | US, 0x21_0001));
    VectorBlock other = swapped.controller.allocate(SOURCE, 1, false);
    other.activate(0, 1);
    assertEquals(BusOutcome.ERROR, swapped.ring(US, other.doorbell(0), 0));
    assertEquals(List.of(0x24), swapped.faults());
  }

  @Test
  @DisplayName(
      "a descriptor that is none stops the queue with IQE; the driver takes its change back and goes on")
  void queueError() {
    VtdBench broken = new VtdBench(IDS, m -> new MistakenMemory(m, 0x14, 0x1f));
    VectorBlock block = broken.controller.allocate(SOURCE, 1, false);
    block.activate(0, 1);
    VtdException e = assertThrows(VtdException.class, () -> block.retarget(0, 2));
    assertTrue(e.getMessage().contains("FSTS_REG is 0x10"), e.getMessage());
    assertEquals(1, block.cpu(0));
    assertEquals(0, broken.model.read(FSTS, 4).value() & 0x10);
    broken.ring(US, block.doorbell(0), 0);
    assertEquals(List.of(List.of(block.number(0), 1)), broken.collect());
    AddressSpace s = broken.driver.createAddressSpace(Granule.K4);
    broken.driver.attach(US, s);
    broken.driver.block(US);
    s.close();
  }

  @ParameterizedTest
  @ValueSource(longs = {11, 12, 13, 14})
  @DisplayName("hostile queues and tables end in recorded faults, never in anything else")
  void hostile(long seed) {
    Random dice = new Random(seed);
    ModelRegisters registers = new ModelRegisters(bench.model);
    for (int i = 0; i < 512; i++) {
      long low = dice.nextInt(4) == 0 ? dice.nextLong() : dice.nextInt(16) | dice.nextInt(4) << 4;
      bench.memory.write64(0x1800_0000L + 16L * i, low);
      bench.memory.write64(0x1800_0008L + 16L * i, dice.nextInt(3) == 0 ? dice.nextLong() : 0);
      bench.memory.write64(0x1a00_0000L + 8L * i, dice.nextLong());
    }
    List<Long> offsets = new ArrayList<>();
    for (long at = 0; at < 0x300; at += 4) {
      offsets.add(at);
    }
    registers.write64(IQA, 0x1800_0000L);
    for (int step = 0; step < 3000; step++) {
      long at = offsets.get(dice.nextInt(offsets.size()));
      int bytes = at % 8 == 0 && dice.nextBoolean() ? 8 : 4;
      long value =
          switch (dice.nextInt(4)) {
            case 0 -> dice.nextLong();
            case 1 -> 0x1a00_0000L | dice.nextInt(16);
            case 2 -> -1L;
            default -> dice.nextInt(0x2000) & ~0xfL;
          };
      bench.model.write(at, value, bytes, -1);
      bench.model.read(at, bytes);
      bench.model.write(IQT, dice.nextInt(0x100) * 16L, 8, -1);
      bench.ring(
          dice.nextInt(0x10000), 0xfee0_0000L | dice.nextInt(0x10_0000) & ~3, dice.nextInt());
      long pa = bench.write(dice.nextInt(0x10000), dice.nextLong() >>> dice.nextInt(64));
      assertTrue(pa == Translator.FAULT || pa >>> 52 == 0);
    }
  }
}
