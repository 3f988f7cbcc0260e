package dev.doorbell.hw.amdvi;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.Translator;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Protection;
import dev.doorbell.simple.CountedFrames;
import dev.doorbell.testkit.Property;
import dev.doorbell.testkit.SeededRandom;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AmdViTablesPropertyTest {
  private static final int DEVICE = 0x108;
  private static final List<Protection> PROTECTIONS =
      List.of(Protection.READ_ONLY, Protection.READ_WRITE, Protection.DOORBELL);

  private final AmdViBench bench = new AmdViBench();
  private final AmdViModel model = bench.model(AmdViFeatures.all());

  private AmdViDriver open(boolean guest) {
    return bench.open(
        model, AmdViSettings.of(bench.domains).with(AmdViSettings.Use.GUEST_TABLES, guest));
  }

  /// One mapping, by its first address.
  private record Mapped(long bytes, long pa, Protection protection) {}

  /// {@return an address near boundaries of levels and of sizes in between}
  private static long address(SeededRandom random) {
    long near = (1L << random.between(13, 40)) * random.between(0, 3);
    return Math.max(0, near + 0x1000L * random.between(-3, 40));
  }

  private static long bytes(SeededRandom random) {
    return random.oneIn(3) ? 1L << random.between(12, 33) : 0x1000L * random.between(1, 700);
  }

  @ParameterizedTest(name = "guest page tables: {0}")
  @ValueSource(booleans = {false, true})
  @DisplayName(
      "After random mappings and unmappings the IOMMU translates as a plain list says, and all memory comes back")
  void asAListSays(boolean guest) {
    AmdViDriver iommu = open(guest);
    Property.check(
        "AMD-Vi tables of version %d translate as a plain list".formatted(guest ? 2 : 1),
        60,
        random -> {
          CountedFrames frames = bench.frames;
          long before = frames.bytesInUse();
          AddressSpace space = iommu.createAddressSpace(Granule.K4);
          iommu.attach(DEVICE, space);
          TreeMap<Long, Mapped> list = new TreeMap<>();
          for (int step = 0; step < 30; step++) {
            change(random, space, list);
            for (int probe = 0; probe < 12; probe++) {
              check(space, list, guest, random.oneIn(2) ? address(random) : edge(random, list));
            }
          }
          space.unmap(new Iova(0), 1L << iommu.capabilities().inputBits());
          assertEquals(
              before + (guest ? 2 * 4096 : 4096), frames.bytesInUse(), "the roots alone are left");
          iommu.block(DEVICE);
          space.close();
          assertEquals(before, frames.bytesInUse());
        });
  }

  private static void change(SeededRandom random, AddressSpace space, TreeMap<Long, Mapped> list) {
    long at = address(random);
    long bytes = bytes(random);
    if (random.nextBoolean()) {
      long pa = random.oneIn(2) ? at : at + 0x1000L * random.between(0, 5000);
      Mapped m = new Mapped(bytes, pa, random.pick(PROTECTIONS));
      boolean free =
          find(list, at) == null && list.ceilingKey(at) == null
              || find(list, at) == null && list.ceilingKey(at) >= at + bytes;
      try {
        space.map(new Iova(at), new Pa(pa), bytes, m.protection());
        assertEquals(true, free, "an overlap was mapped");
        list.put(at, m);
      } catch (IllegalArgumentException refused) {
        assertEquals(false, free, refused::getMessage);
      }
    } else {
      assertEquals(remove(list, at, at + bytes - 1), space.unmap(new Iova(at), bytes));
    }
  }

  private static java.util.Map.Entry<Long, Mapped> find(TreeMap<Long, Mapped> list, long at) {
    var below = list.floorEntry(at);
    return below != null && at < below.getKey() + below.getValue().bytes() ? below : null;
  }

  private static long remove(TreeMap<Long, Mapped> list, long first, long last) {
    long removed = 0;
    for (var e : List.copyOf(list.entrySet())) {
      long start = e.getKey();
      Mapped m = e.getValue();
      long end = start + m.bytes() - 1;
      if (end < first || start > last) {
        continue;
      }
      list.remove(start);
      removed += Math.min(end, last) - Math.max(start, first) + 1;
      if (start < first) {
        list.put(start, new Mapped(first - start, m.pa(), m.protection()));
      }
      if (end > last) {
        list.put(last + 1, new Mapped(end - last, m.pa() + (last + 1 - start), m.protection()));
      }
    }
    return removed;
  }

  private static long edge(SeededRandom random, TreeMap<Long, Mapped> list) {
    if (list.isEmpty()) {
      return address(random);
    }
    var e = random.pick(List.copyOf(list.entrySet()));
    long end = e.getKey() + e.getValue().bytes();
    return Math.max(0, random.pick(List.of(e.getKey(), e.getKey() - 8, end, end - 8)));
  }

  private void check(AddressSpace space, TreeMap<Long, Mapped> list, boolean guest, long at) {
    var e = find(list, at);
    long pa = e == null ? Translator.FAULT : e.getValue().pa() + (at - e.getKey());
    assertEquals(pa, space.translate(new Iova(at)).map(Pa::value).orElse(Translator.FAULT));
    boolean window = at >>> 20 == 0xfee || pa >>> 20 == 0xfee;
    if (!window) {
      // Guest page tables know no pages that can be written and not be read.
      boolean reads = e != null && (guest || e.getValue().protection().read());
      boolean writes = e != null && e.getValue().protection().write();
      assertEquals(reads ? pa : Translator.FAULT, AmdViBench.read(model, DEVICE, at));
      assertEquals(writes ? pa : Translator.FAULT, AmdViBench.write(model, DEVICE, at));
    }
  }
}
