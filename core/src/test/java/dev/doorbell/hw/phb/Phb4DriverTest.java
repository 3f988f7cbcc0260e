package dev.doorbell.hw.phb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.Translator;
import dev.doorbell.explain.MemoryView;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Protection;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.simple.ModelRegisters;
import dev.doorbell.testkit.Property;
import dev.doorbell.testkit.SeededRandom;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("PHB4: PEs, windows and TCEs; driver, model and walker")
class Phb4DriverTest {
  private final Phb4Bench bench = new Phb4Bench();
  private final Phb4Driver driver = bench.driver;

  @ParameterizedTest
  @ValueSource(ints = {12, 16})
  @DisplayName(
      "a PE reaches what is mapped, as it is mapped; what else it tries stops it alone, with the cause, until it is let go on")
  void stops(int shift) {
    Granule granule = new Granule(shift);
    AddressSpace s = driver.createAddressSpace(granule);
    driver.attach(0x100, s);
    driver.attach(0x200, s);
    s.map(new Iova(granule.bytes()), new Pa(0x2000_0000L), granule.bytes(), Protection.READ_ONLY);
    assertEquals(0x2000_0008L, bench.read(0x100, granule.bytes() + 8));
    assertEquals(Translator.FAULT, bench.write(0x100, granule.bytes() + 8));
    assertEquals(Translator.FAULT, bench.read(0x100, granule.bytes() + 8), "it is stopped");
    PeStop stop = driver.stopped(0x100).orElseThrow();
    assertEquals(OptionalInt.of(0x100), stop.requesterId());
    assertEquals(OptionalLong.of(granule.bytes() + 8), stop.address());
    assertTrue(stop.cause().contains("TCE_ACCESS_FAULT"), stop.cause());
    assertEquals(0x2000_0000L, bench.read(0x200, granule.bytes()), "others go on");
    driver.thaw(0x100);
    assertTrue(driver.stopped(0x100).isEmpty());
    assertEquals(0x2000_0000L, bench.read(0x100, granule.bytes()));
    assertEquals(Translator.FAULT, bench.read(0x100, 0));
    assertTrue(driver.stopped(0x100).orElseThrow().cause().contains("TCE_PAGE_FAULT"));
    driver.block(0x100);
    driver.block(0x200);
    s.close();
  }

  @Test
  @DisplayName(
      "an address beyond the tables, of the second window, or of a message is refused to a reader")
  void beyond() {
    AddressSpace s = driver.createAddressSpace(Granule.K4);
    driver.attach(1, s);
    s.map(new Iova(0), new Pa(0x2000_0000L), 0x1000, Protection.READ_WRITE);
    for (long at : new long[] {1L << 48, 1L << 58, 1L << 59, 1L << 60, 0xffff_0000L, -4096L}) {
      assertEquals(0x2000_0000L, bench.read(1, 0));
      assertEquals(Translator.FAULT, bench.read(1, at), Long.toHexString(at));
      driver.thaw(1);
    }
  }

  @Test
  @DisplayName("blocked from the beginning, after a block, and untranslated below 2^50 in between")
  void placements() {
    assertEquals(Translator.FAULT, bench.read(7, 0x1000));
    driver.bypass(7);
    assertEquals(0x1234_5000L, bench.write(7, 0x1234_5000L));
    assertEquals((1L << 50) - 1, bench.write(7, (1L << 50) - 1));
    assertEquals(Translator.FAULT, bench.write(7, 1L << 50));
    driver.block(7);
    assertEquals(Translator.FAULT, bench.write(7, 0x1234_5000L));
  }

  @Test
  @DisplayName(
      "a TCE that was read is forgotten when it is unmapped, and the tables of all users of a space are the same")
  void forgotten() {
    AddressSpace s = driver.createAddressSpace(Granule.K4);
    long before = bench.frames.bytesInUse();
    driver.attach(1, s);
    for (int i = 0; i < 3; i++) {
      s.map(
          new Iova(0x4000_0000L),
          new Pa(0x2000_0000L + i * 0x1000L),
          0x1000,
          Protection.READ_WRITE);
      assertEquals(0x2000_0000L + i * 0x1000L, bench.write(1, 0x4000_0000L));
      assertEquals(0x1000, s.unmap(new Iova(0x4000_0000L), 0x1000));
      assertEquals(Translator.FAULT, bench.write(1, 0x4000_0000L));
      driver.thaw(1);
    }
    assertEquals(before, bench.frames.bytesInUse(), "tables that are empty are given back");
  }

  @Test
  @DisplayName("tables are changed for another space in one step: what both map alike never faults")
  void hitless() {
    AddressSpace a = driver.createAddressSpace(Granule.K4);
    AddressSpace b = driver.createAddressSpace(Granule.K64);
    a.map(new Iova(0), new Pa(0x2000_0000L), 0x1_0000, Protection.READ_WRITE);
    b.map(new Iova(0), new Pa(0x2000_0000L), 0x1_0000, Protection.READ_WRITE);
    assertTrue(driver.attachesHitlessly(1, a));
    driver.attach(1, a);
    assertEquals(0x2000_0000L, bench.write(1, 0));
    driver.attach(1, b);
    assertEquals(0x2000_f000L, bench.write(1, 0xf000));
    a.close();
    assertThrows(IllegalStateException.class, b::close);
  }

  @Test
  @DisplayName("PEs end: refused by name, nothing taken")
  void pes() {
    AddressSpace s = driver.createAddressSpace(Granule.K4);
    for (int rid = 0; rid < Phb4Bench.PES - 2; rid++) {
      driver.attach(rid, s);
    }
    PhbException e = assertThrows(PhbException.class, () -> driver.attach(0x500, s));
    assertEquals("PesExhausted", e.refusal().type());
    assertThrows(
        PhbException.class, () -> driver.messages().allocate(new MsiSource("f", 0x500), 1, false));
    assertEquals(Phb4Bench.MESSAGES, driver.messages().vectorsFree());
    for (int rid = 0; rid < Phb4Bench.PES - 2; rid++) {
      driver.block(rid);
    }
    s.close();
  }

  @Test
  @DisplayName("PELT-V: a PE takes those along that its row names")
  void row() {
    AddressSpace s = driver.createAddressSpace(Granule.K4);
    driver.attach(1, s);
    driver.attach(2, s);
    s.map(new Iova(0), new Pa(0x2000_0000L), 0x1000, Protection.READ_WRITE);
    bench.takesAlong(1, 2);
    assertEquals(Translator.FAULT, bench.read(1, 0x1000));
    assertEquals(Translator.FAULT, bench.read(2, 0), "PE 2 is stopped along");
    driver.thaw(2);
    assertEquals(0x2000_0000L, bench.read(2, 0));
    assertTrue(driver.stopped(1).isPresent());
  }

  @Test
  @DisplayName(
      "property: model and walker find what a plain map holds, whatever is mapped, unmapped, attached and blocked")
  void property() {
    Property.check("PHB4 tables", 60, this::random);
  }

  private void random(SeededRandom random) {
    AddressSpace s = driver.createAddressSpace((random.below(2) == 0) ? Granule.K4 : Granule.K64);
    long page = s.granule().bytes();
    Map<Long, Long> expected = new TreeMap<>();
    driver.attach(5, s);
    for (int step = 0; step < 40; step++) {
      long at = random.below(48) * page + ((random.below(2) == 0) ? 0 : 1L << 40);
      if (expected.containsKey(at)) {
        s.unmap(new Iova(at), page);
        expected.remove(at);
      } else {
        long pa = (0x2000L + random.below(64)) * page;
        s.map(new Iova(at), new Pa(pa), page, Protection.READ_WRITE);
        expected.put(at, pa);
      }
      long asked = random.below(48) * page + ((random.below(2) == 0) ? 0 : 1L << 40);
      long want = expected.containsKey(asked) ? expected.get(asked) + 4 : Translator.FAULT;
      PhbWalk walk = new PhbWalker("phb4", registers(), view()).dma(5, asked + 4, true);
      assertEquals(want, walk.output().map(Pa::value).orElse(Translator.FAULT));
      assertEquals(want, bench.write(5, asked + 4));
      driver.thaw(5);
    }
    driver.block(5);
    s.close();
  }

  private Map<String, Long> registers() {
    Map<String, Long> out = new HashMap<>(driver.own());
    out.put("RTT_BAR", new ModelRegisters(bench.model).read64(Phb4Registers.RTT_BAR.offset()));
    return out;
  }

  private MemoryView view() {
    return pa -> {
      try {
        return OptionalLong.of(bench.memory.read64(pa));
      } catch (BusErrorException e) {
        return OptionalLong.empty();
      }
    };
  }

  @Test
  @DisplayName(
      "after a move no access goes by the former tables, whatever was in flight when they were left")
  void moved() throws InterruptedException {
    AddressSpace[] spaces = {
      driver.createAddressSpace(Granule.K4), driver.createAddressSpace(Granule.K4)
    };
    for (int i = 0; i < spaces.length; i++) {
      spaces[i].map(new Iova(0), new Pa(0x2000_0000L + i * 0x1000L), 0x1000, Protection.READ_ONLY);
    }
    driver.attach(1, spaces[0]);
    AtomicBoolean ended = new AtomicBoolean();
    List<Thread> others = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      others.add(
          Thread.ofPlatform()
              .start(() -> {
                while (!ended.get()) {
                  bench.model.begin();
                  bench.read(1, 0);
                  bench.model.end();
                }
              }));
    }
    int wrong = 0;
    for (int move = 1; move <= 100; move++) {
      driver.attach(1, spaces[move & 1]);
      wrong += bench.read(1, 0) == 0x2000_0000L + (move & 1) * 0x1000L ? 0 : 1;
    }
    ended.set(true);
    for (Thread t : others) {
      t.join();
    }
    assertEquals(0, wrong);
  }
}
