package dev.doorbell.hw.smmuv2;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.Translator;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Protection;
import dev.doorbell.testkit.Property;
import dev.doorbell.testkit.RawSmmu;
import dev.doorbell.testkit.SeededRandom;
import dev.doorbell.vmsa.Stage;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName(
    "IHI 0062 2.5: two guests and a stream without one, against maps: nobody reaches what its two maps do not give")
class SmmuV2GuestPropertyTest {
  private static final int PAGES = 6;
  private static final long PAGE = 0x1000;
  private static final int STREAMS = 4;
  private static final long MEMORY = V2Bench.RAM + (512L << 20);
  private static final long DATA = 0x9000_0000L;

  /// What a stream meets, by the reference.
  private enum Way {
    BLOCKED,
    STAGE2,
    GUEST_OFF,
    NESTED
  }

  /// One guest: what it and its host have mapped. Pages are numbers; a guest's page 0 is at 0.
  private static final class World {
    final Map<Integer, Integer> stage1 = new HashMap<>();
    final Map<Integer, Long> stage2 = new HashMap<>();
    final V2Guest guest;
    final AddressSpace below;

    World(V2Guest guest, AddressSpace below) {
      this.guest = guest;
      this.below = below;
      guest.mapInto(below);
    }

    long reaches(Way way, int page) {
      Integer ipa =
          switch (way) {
            case BLOCKED -> null;
            case STAGE2, GUEST_OFF -> (Integer) page;
            case NESTED -> stage1.get(page);
          };
      return ipa == null ? Translator.FAULT : stage2.getOrDefault(ipa, Translator.FAULT);
    }
  }

  private final List<World> worlds = new ArrayList<>();
  private final Way[] ways = new Way[STREAMS];
  private final int[] of = new int[STREAMS];
  private V2Bench bench = new V2Bench();
  private SmmuV2Driver smmu = bench.open();

  private void begin(SeededRandom random) {
    boolean old = random.below(4) == 0;
    bench =
        new V2Bench(
            old
                ? SmmuV2Features.version1(true, true, V2Bench.WINDOW)
                : SmmuV2Features.mmu500(V2Bench.WINDOW));
    smmu = bench.open();
    worlds.clear();
    for (int i = 0; i < 2; i++) {
      worlds.add(
          new World(
              new V2Guest(bench.memory, MEMORY + i * V2Guest.BYTES, !old),
              smmu.createAddressSpace(Granule.K4, Stage.STAGE2)));
    }
    for (int s = 0; s < STREAMS; s++) {
      ways[s] = Way.BLOCKED;
      of[s] = s % 2;
    }
  }

  private void step(SeededRandom random) {
    int stream = random.below(STREAMS);
    World world = worlds.get(of[stream]);
    int page = random.below(PAGES);
    switch (random.below(8)) {
      case 0 -> {
        smmu.attach(stream, world.below);
        ways[stream] = Way.STAGE2;
      }
      case 1, 2 -> {
        if (ways[stream] != Way.BLOCKED) {
          boolean on = random.below(4) != 0;
          smmu.nest(stream, on ? world.guest.on() : world.guest.off());
          ways[stream] = on ? Way.NESTED : Way.GUEST_OFF;
        }
      }
      case 3 -> {
        smmu.block(stream);
        ways[stream] = Way.BLOCKED;
        of[stream] = random.below(2);
      }
      case 4 -> hostMaps(random, world, page);
      case 5 -> {
        world.below.unmap(new Iova(page * PAGE), PAGE);
        world.stage2.remove(page);
      }
      case 6 -> {
        if (!world.stage1.containsKey(page)) {
          int ipa = random.below(PAGES);
          world.guest.tables.map(page * PAGE, ipa * PAGE, 3, RawSmmu.S1_RW);
          world.stage1.put(page, ipa);
        }
      }
      default -> guestUnmaps(random, world, page);
    }
  }

  private static void hostMaps(SeededRandom random, World world, int page) {
    if (!world.stage2.containsKey(page)) {
      long pa = DATA + random.below(1 << 10) * PAGE;
      world.below.map(new Iova(page * PAGE), new Pa(pa), PAGE, Protection.READ_WRITE);
      world.stage2.put(page, pa);
    }
  }

  /// A guest drops what it took away, by one of its streams that is nested; without one, nothing of it is left in any cache.
  private void guestUnmaps(SeededRandom random, World world, int page) {
    world.guest.tables.unmap(page * PAGE, 3);
    world.stage1.remove(page);
    int offset = random.pick(List.of(0x600, 0x608, 0x610, 0x618, 0x620, 0x628));
    for (int s = 0; s < STREAMS; s++) {
      if (ways[s] != Way.BLOCKED && worlds.get(of[s]) == world) {
        smmu.guestInvalidates(s, List.of(world.guest.tlbi(offset, page * PAGE)));
        if (ways[s] == Way.NESTED) {
          return;
        }
      }
    }
  }

  private void check(SeededRandom random) {
    int walked = random.below(STREAMS * PAGES);
    for (int s = 0; s < STREAMS; s++) {
      for (int page = 0; page < PAGES; page++) {
        long wanted = worlds.get(of[s]).reaches(ways[s], page);
        String where = "stream %d, page %d, %s".formatted(s, page, ways[s]);
        assertEquals(wanted, bench.write(s, page * PAGE), where);
        if (walked-- == 0) {
          assertEquals(
              wanted == Translator.FAULT ? Optional.empty() : Optional.of(new Pa(wanted)),
              SmmuV2WalkerTest.walk(bench, s, page * PAGE).output(),
              where);
        }
      }
    }
  }

  @Test
  @DisplayName(
      "attach, nest, off, block, and both maps changed at random, each step checked on model and walker")
  void random() {
    Property.check(
        "nested banks against two maps",
        12,
        random -> {
          begin(random);
          for (int i = 0; i < 60; i++) {
            step(random);
            check(random);
          }
          for (int s = 0; s < STREAMS; s++) {
            smmu.block(s);
          }
          for (World world : worlds) {
            world.below.close();
          }
          smmu.close();
          assertEquals(0, bench.frames.bytesInUse());
        });
  }
}
