package dev.doorbell.hw.pamu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.OutOfFramesException;
import dev.doorbell.bus.Translator;
import dev.doorbell.explain.Basis;
import dev.doorbell.explain.MemoryView;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Protection;
import dev.doorbell.iommu.WindowsDoNotFit;
import dev.doorbell.simple.CountedFrames;
import dev.doorbell.simple.ModelRegisters;
import dev.doorbell.simple.PlainMemory;
import dev.doorbell.testkit.Property;
import dev.doorbell.testkit.SeededRandom;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("PAMU: driver, model and walker")
class PamuDriverTest {
  private static final long PAGE = 0x1000;
  private static final int LIODNS = 64;

  private final PlainMemory memory = new PlainMemory(0x1000_0000L, 0x100_0000);
  private final CountedFrames frames = new CountedFrames(memory, 0x1000_0000L, 0x100_0000);
  private final PamuModel model = new PamuModel(memory, LIODNS - 1);
  private final PamuDriver driver =
      PamuDriver.open("pamu", List.of(new ModelRegisters(model)), memory, frames, LIODNS);

  private long write(int liodn, long iova) {
    return model.translate(liodn, -1, iova, Translator.WRITE);
  }

  private long read(int liodn, long iova) {
    return model.translate(liodn, -1, iova, Translator.READ);
  }

  @Test
  @DisplayName("a doorbell's page: writes to it arrive, reads and neighbours are refused")
  void doorbell() {
    AddressSpace s = driver.createAddressSpace(Granule.K4);
    s.map(new Iova(0x800_0000), new Pa(0xf_fe04_4000L), PAGE, Protection.DOORBELL);
    driver.attach(5, s);
    assertEquals(0xf_fe04_4140L, write(5, 0x800_0140));
    assertEquals(Translator.FAULT, read(5, 0x800_0140));
    assertEquals(Translator.FAULT, write(5, 0x800_1000));
    assertEquals(Translator.FAULT, write(6, 0x800_0140), "a LIODN that is not attached");
    driver.block(5);
    assertEquals(Translator.FAULT, write(5, 0x800_0140));
    s.close();
  }

  @Test
  @DisplayName("AVS1, AVAH, AVAL: the first violation is kept until it is cleared, PICS says so")
  void violation() {
    ModelRegisters r = new ModelRegisters(model);
    write(7, 0x12_3456_7000L);
    write(8, 0);
    long status = Integer.toUnsignedLong(r.read32(PamuRegisters.AVS1.offset()));
    assertEquals(7, PamuRegisters.AVS1_LIODN.get(status));
    assertTrue(PamuRegisters.AVS1_AV.isSet(status));
    assertEquals(0x12, r.read32(PamuRegisters.AVAH.offset()));
    assertEquals(0x3456_7000, r.read32(PamuRegisters.AVAL.offset()));
    assertTrue(PamuRegisters.AV_STATUS.isSet(r.read32(PamuRegisters.PICS.offset())));
    r.write32(PamuRegisters.AVS1.offset(), 0);
    write(8, 0);
    assertEquals(
        status, Integer.toUnsignedLong(r.read32(PamuRegisters.AVS1.offset())), "nothing cleared");
    r.write32(PamuRegisters.AVS1.offset(), (int) (status & PamuRegisters.AV_MASK));
    assertEquals(
        7 << 16, r.read32(PamuRegisters.AVS1.offset()), "the LIODN stays, and says nothing");
    r.write32(PamuRegisters.PICS.offset(), (int) PamuRegisters.AV_STATUS.mask());
    assertEquals(0, r.read32(PamuRegisters.PICS.offset()));
    write(8, 0);
    assertEquals(
        8,
        PamuRegisters.AVS1_LIODN.get(
            Integer.toUnsignedLong(r.read32(PamuRegisters.AVS1.offset()))));
    assertEquals(Translator.FAULT, write(LIODNS + 100, 0));
  }

  @Test
  @DisplayName("R25: what no 256 windows of one size can hold is refused, and nothing changes")
  void refused() {
    AddressSpace s = driver.createAddressSpace(Granule.K4);
    driver.attach(3, s);
    s.map(new Iova(0), new Pa(0), 0x8000_0000L, Protection.READ_WRITE);
    WindowsDoNotFit e =
        assertThrows(
            WindowsDoNotFit.class,
            () -> s.map(new Iova(0x8000_1000L), new Pa(0xf_fe04_4000L), PAGE, Protection.DOORBELL));
    assertTrue(e.refusal().message().contains("256 windows"));
    assertEquals(0x1234, write(3, 0x1234));
    assertEquals(Translator.FAULT, write(3, 0x8000_1000L));
    s.map(new Iova(0x8000_0000L), new Pa(0xf_fe04_4000L), PAGE, Protection.DOORBELL);
    assertEquals(0xf_fe04_4140L, write(3, 0x8000_0140L));
  }

  @Test
  @DisplayName(
      "what was mapped is unmapped whole, whatever stays, and a page lies at each place that is told")
  void anyOrder() {
    Property.check("pamu unmaps", 200, this::inAnyOrder);
  }

  private void inAnyOrder(SeededRandom random) {
    AddressSpace s = driver.createAddressSpace(Granule.K4);
    driver.attach(9, s);
    List<long[]> mapped = new ArrayList<>();
    // Doorbells' pages follow one another in memory; those beside them do, too.
    for (int i = 0; i < 8; i++) {
      boolean doorbell = random.nextBoolean();
      long bytes = doorbell ? PAGE : PAGE << random.below(16);
      long iova = random.below(64) * bytes;
      if (doorbell) {
        iova = iova + s.placing(iova) - 1 & -s.placing(iova);
      }
      try {
        s.map(new Iova(iova), new Pa(0x4000_0000L + iova), bytes, Protection.READ_WRITE);
        mapped.add(new long[] {iova, bytes});
      } catch (WindowsDoNotFit | IllegalArgumentException e) {
        assertEquals(Optional.empty(), s.translate(new Iova(iova)).filter(_ -> mapped.isEmpty()));
      }
    }
    while (!mapped.isEmpty()) {
      long[] one = mapped.remove(random.below(mapped.size()));
      assertEquals(one[1], s.unmap(new Iova(one[0]), one[1]));
      assertEquals(Translator.FAULT, write(9, one[0]));
      for (long[] m : mapped) {
        assertEquals(0x4000_0000L + m[0] + 8, write(9, m[0] + 8));
      }
    }
    driver.block(9);
    s.close();
  }

  @Test
  @DisplayName("no run of secondary entries: refused, and who was attached goes on as before")
  void exhausted() {
    Map<Integer, AddressSpace> spaces = new HashMap<>();
    OutOfFramesException full = null;
    int liodn = 0;
    while (full == null) {
      AddressSpace s = driver.createAddressSpace(Granule.K4);
      s.map(new Iova(255 * PAGE), new Pa(0x1_0000), PAGE, Protection.READ_WRITE);
      s.map(new Iova(0), new Pa(0x2_0000), PAGE, Protection.READ_ONLY);
      try {
        driver.attach(liodn, s);
        spaces.put(liodn++, s);
      } catch (OutOfFramesException e) {
        full = e;
      }
    }
    assertTrue(liodn >= 8, "attached: " + liodn);
    for (int l : spaces.keySet()) {
      assertEquals(0x1_0008, write(l, 255 * PAGE + 8));
      assertEquals(0x2_0008, read(l, 8));
    }
    assertEquals(Translator.FAULT, write(liodn, 255 * PAGE));
  }

  @Test
  @DisplayName(
      "random maps and unmaps: each LIODN reaches what is mapped and nothing else, and the walker says the same")
  void property() {
    Property.check("pamu maps", 60, this::scenario);
  }

  private void scenario(SeededRandom random) {
    AddressSpace s = driver.createAddressSpace(Granule.K4);
    TreeMap<Long, Long> pages = new TreeMap<>();
    int one = 1 + random.below(LIODNS / 2);
    int other = one + LIODNS / 4;
    driver.attach(one, s);
    for (int step = 0; step < 12; step++) {
      if (step == 4) {
        driver.attach(other, s);
      }
      long bytes = PAGE << random.below(4);
      long iova = random.below(64) * PAGE;
      long pa = 0x4000_0000L + random.below(64) * bytes;
      if (random.oneIn(3)) {
        try {
          s.unmap(new Iova(iova), bytes);
          for (long at = 0; at < bytes; at += PAGE) {
            pages.remove(iova + at);
          }
        } catch (WindowsDoNotFit e) {
          // What would be left cannot lie in windows: nothing may have changed.
        }
      } else {
        try {
          s.map(new Iova(iova), new Pa(pa), bytes, Protection.READ_WRITE);
          for (long at = 0; at < bytes; at += PAGE) {
            pages.put(iova + at, pa + at);
          }
        } catch (WindowsDoNotFit | IllegalArgumentException e) {
          // Nothing may have changed.
        }
      }
      for (int liodn : new int[] {one, other}) {
        boolean attached = liodn == one || step >= 4;
        for (long at = 0; at < 70 * PAGE; at += PAGE) {
          Long to = attached ? pages.get(at) : null;
          long expected = to == null ? Translator.FAULT : to + 8;
          assertEquals(expected, write(liodn, at + 8), "LIODN %d at 0x%x".formatted(liodn, at));
          assertEquals(expected, walked(liodn, at + 8));
        }
      }
    }
    driver.block(one);
    driver.block(other);
    s.close();
  }

  @Test
  @DisplayName("no run of secondary entries: a LIODN in bypass stays in bypass")
  void exhaustedInBypass() {
    int liodn = 0;
    OutOfFramesException full = null;
    while (full == null) {
      AddressSpace s = driver.createAddressSpace(Granule.K4);
      s.map(new Iova(255 * PAGE), new Pa(0x1_0000), PAGE, Protection.READ_WRITE);
      s.map(new Iova(0), new Pa(0x2_0000), PAGE, Protection.READ_ONLY);
      driver.bypass(++liodn);
      assertEquals(0x5008, write(liodn, 0x5008));
      try {
        driver.attach(liodn, s);
      } catch (OutOfFramesException e) {
        full = e;
      }
    }
    assertEquals(0x5008, write(liodn, 0x5008));
    driver.block(liodn);
    assertEquals(Translator.FAULT, write(liodn, 0x5008));
  }

  @Test
  @DisplayName("AVS1 and AVAH, AVAL tell of one violation, whenever they are read")
  void oneViolation() throws InterruptedException {
    ModelRegisters r = new ModelRegisters(model);
    int rounds = 200_000;
    Thread device =
        Thread.ofPlatform()
            .start(() -> {
              for (int i = 0; i < rounds; i++) {
                int liodn = i % LIODNS;
                write(liodn, (long) liodn << 32 | liodn);
              }
            });
    try {
      while (device.isAlive()) {
        long status = Integer.toUnsignedLong(r.read32(PamuRegisters.AVS1.offset()));
        if (PamuRegisters.AVS1_AV.isSet(status)) {
          long liodn = PamuRegisters.AVS1_LIODN.get(status);
          assertEquals(liodn, r.read32(PamuRegisters.AVAH.offset()));
          assertEquals(liodn, r.read32(PamuRegisters.AVAL.offset()));
          r.write32(PamuRegisters.AVS1.offset(), (int) (status & PamuRegisters.AV_MASK));
        }
      }
    } finally {
      device.join();
    }
  }

  private void entry(long at, int word, long value) {
    memory.write32(at + 4L * word, (int) PaaceLayout.swapped(value));
  }

  @ParameterizedTest
  @DisplayName("windows of 2^62 to 2^64 bytes reach as far as they say")
  @ValueSource(ints = {61, 62, 63})
  void huge(int code) {
    long table = 0x1000_0000L + 16 * PAGE;
    ModelRegisters r = new ModelRegisters(model);
    keepNothing(r);
    r.write32(PamuRegisters.PPBAL.offset(), (int) table);
    r.write32(PamuRegisters.PPLAL.offset(), (int) (table + PAGE));
    r.write32(PamuRegisters.SPBAL.offset(), (int) (table + PAGE));
    r.write32(PamuRegisters.SPLAL.offset(), (int) (table + 2 * PAGE));
    long primary = table + PaaceLayout.BYTES;
    entry(primary, PaaceLayout.IA, PaaceLayout.ATM.place(PaaceLayout.ATM_NONE));
    long valid = PaaceLayout.WSE.place(code) | PaaceLayout.AP.place(3) | PaaceLayout.V.place(1);
    entry(primary, PaaceLayout.AF, valid);
    long last = -1L >>> 63 - code;
    for (long iova : new long[] {0, last}) {
      reaches(iova, iova);
    }
    reaches(code == 63 ? last : Translator.FAULT, code == 63 ? last : last + 1);
    // Cut in two: the upper half has no secondary entry yet.
    entry(primary, PaaceLayout.WIN, PaaceLayout.SWSE.place(code - 1));
    entry(primary, PaaceLayout.AF, valid | PaaceLayout.MW.place(1));
    reaches(last >>> 1, last >>> 1);
    reaches(Translator.FAULT, last);
    long secondary = table + PAGE;
    entry(secondary, PaaceLayout.WIN, PaaceLayout.SWSE.place(code - 1));
    long owned = PaaceLayout.LIODN.place(1) | PaaceLayout.S_AP.place(3) | PaaceLayout.S_V.place(1);
    entry(secondary, PaaceLayout.AF, owned);
    reaches(Translator.FAULT, last);
    entry(secondary, PaaceLayout.AF, owned | PaaceLayout.S_PT.place(1));
    reaches(last, last);
  }

  /// Entries are changed by hand below, and nobody tells the unit.
  private static void keepNothing(ModelRegisters r) {
    r.write32(PamuRegisters.PC.offset(), (int) PamuRegisters.PE.mask());
  }

  private void reaches(long expected, long iova) {
    assertEquals(expected, write(1, iova), "0x%x".formatted(iova));
    assertEquals(expected, walked(1, iova), "walker, 0x%x".formatted(iova));
  }

  @Test
  @DisplayName("entries of any content end in an address or a refusal, and model and walker agree")
  void hostile() {
    Property.check(
        "pamu entries",
        3000,
        random -> {
          long tables = 0x1000_0000L + random.below(4) * PAGE;
          ModelRegisters r = new ModelRegisters(model);
          keepNothing(r);
          r.write32(PamuRegisters.PPBAL.offset(), (int) tables);
          r.write32(PamuRegisters.SPBAL.offset(), (int) (tables + PAGE));
          r.write32(PamuRegisters.PPLAL.offset(), (int) random.anyMagnitude());
          r.write32(PamuRegisters.SPLAL.offset(), -1);
          r.write32(PamuRegisters.OBAL.offset(), (int) tables);
          r.write32(PamuRegisters.OLAL.offset(), (int) random.anyMagnitude());
          for (long at = 0; at < 2 * PAGE; at += 4) {
            memory.write32(tables + at, (int) random.nextLong());
          }
          int liodn = random.below(LIODNS);
          // Mostly a valid primary entry, so that what lies behind it is reached.
          long entry = tables + (long) liodn * PaaceLayout.BYTES + 4L * PaaceLayout.AF;
          long af = PaaceLayout.swapped(memory.read32(entry));
          af = PaaceLayout.V.with(PaaceLayout.PT.with(af, 0), random.oneIn(8) ? 0 : 1);
          memory.write32(entry, (int) PaaceLayout.swapped(af));
          memory.write32(entry - 4, 0);
          long iova = random.anyMagnitude();
          assertEquals(write(liodn, iova), walked(liodn, iova));
        });
  }

  private OptionalLong seen(long pa) {
    try {
      return OptionalLong.of(memory.read64(pa));
    } catch (BusErrorException e) {
      return OptionalLong.empty();
    }
  }

  private long walked(int liodn, long iova) {
    Map<String, Long> registers = new HashMap<>();
    PamuRegisters.MAP
        .registers()
        .forEach(r ->
            registers.put(
                r.name(), Integer.toUnsignedLong(new ModelRegisters(model).read32(r.offset()))));
    MemoryView view = this::seen;
    return new PamuWalker("pamu", registers, view, Basis.OBSERVED)
        .walk(liodn, new Iova(iova))
        .output()
        .map(Pa::value)
        .orElse(Translator.FAULT);
  }
}
