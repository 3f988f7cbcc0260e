package dev.doorbell.vmsa;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.iommu.Protection;
import dev.doorbell.simple.CountedFrames;
import dev.doorbell.simple.PlainMemory;
import dev.doorbell.vmsa.FaultyTableMemory.Fault;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@DisplayName(
    "design 4: a change to tables whose writes fail, each one in turn, leaves the tables as they were")
class VmsaFailedChangeTest {
  private static final long RAM = 0x4000_0000L;
  private static final long RAM_BYTES = 1L << 32;

  /// One change, and what is mapped before it.
  record Change(String name, Granule granule, Consumer<Rig> before, Consumer<Rig> change) {
    @Override
    public String toString() {
      return granule + " " + name;
    }
  }

  /// Tables in memory that fails, walked by hardware that keeps all it sees.
  static final class Rig {
    final FaultyTableMemory memory = new FaultyTableMemory(new PlainMemory(RAM, RAM_BYTES));
    final CountedFrames frames = new CountedFrames(memory.plain, RAM, RAM_BYTES);
    final Set<Long> freed = new HashSet<>();
    final VmsaTable table;
    final EagerCaches caches;
    final long page;
    final long block;

    Rig(Change change, boolean replacesLive) {
      VmsaGeometry geometry = VmsaGeometry.of(change.granule(), Stage.STAGE2, 40, 40);
      table = VmsaTable.create(geometry, memory, frames, replacesLive);
      page = geometry.granule().bytes();
      block = geometry.bytes(2);
      caches = new EagerCaches(table, memory.plain, replacesLive);
      memory.plain.onWrite((pa, old, now) -> caches.written(pa, now));
      frames.onFree(at -> {
        freed.add(at);
        caches.freed(at);
      });
      change.before().accept(this);
    }

    void map(long input, long output, long bytes) {
      table.map(new Iova(input), new Pa(output), bytes, Protection.READ_WRITE, caches);
    }

    void unmap(long input, long bytes) {
      assertEquals(bytes, table.unmap(new Iova(input), bytes, caches));
    }

    /// {@return every descriptor that can be reached, by its address}
    TreeMap<Long, Long> reachable() {
      TreeMap<Long, Long> found = new TreeMap<>();
      descend(table.root().value(), table.geometry().startLevel(), found);
      return found;
    }

    /// {@return what is translated, in the longest runs}
    List<String> translations() {
      List<long[]> runs = new ArrayList<>();
      runs(table.root().value(), table.geometry().startLevel(), 0, runs);
      return runs.stream().map(r -> "%x+%x->%x".formatted(r[0], r[1], r[2])).toList();
    }

    private void runs(long at, int level, long input, List<long[]> runs) {
      for (int i = 0; i < table.geometry().entries(level); i++) {
        long word = memory.plain.read64(at + (long) i * DescriptorLayout.BYTES);
        long from = input + i * table.geometry().bytes(level);
        long pa = Descriptors.address(table.geometry(), word);
        if (Descriptors.isTable(word, level)) {
          runs(pa, level + 1, from, runs);
        } else if (Descriptors.isLeaf(word, level)) {
          long[] last = runs.isEmpty() ? new long[3] : runs.getLast();
          if (last[0] + last[1] == from && last[2] + last[1] == pa && last[1] != 0) {
            last[1] += table.geometry().bytes(level);
          } else {
            runs.add(new long[] {from, table.geometry().bytes(level), pa});
          }
        }
      }
    }

    private void descend(long at, int level, TreeMap<Long, Long> found) {
      for (int i = 0; i < table.geometry().entries(level); i++) {
        long slot = at + (long) i * DescriptorLayout.BYTES;
        long word = memory.plain.read64(slot);
        if (word != 0) {
          found.put(slot, word);
        }
        if (Descriptors.isTable(word, level)) {
          descend(Descriptors.address(table.geometry(), word), level + 1, found);
        }
      }
    }

    /// Nothing is left of it but what is quarantined.
    void dissolve(List<Pa> lost, String when) {
      table.unmap(new Iova(0), 1L << 40, caches);
      frames.onFree(freed::add);
      table.close();
      long kept =
          lost.stream()
              .filter(pa -> !freed.contains(pa.value()))
              .mapToLong(pa ->
                  pa.equals(table.root())
                      ? table.geometry().tableAlignment(table.geometry().startLevel())
                      : page)
              .sum();
      assertEquals(kept, frames.bytesInUse(), when);
    }
  }

  static Stream<Change> changes() {
    List<Change> all = new ArrayList<>();
    Consumer<Rig> nothing = r -> {};
    Consumer<Rig> pages = r -> r.map(3 * r.page, 7 * r.page, 4 * r.page);
    Consumer<Rig> blocks = r -> r.map(r.block, 5 * r.block, 3 * r.block);
    Consumer<Rig> across =
        r -> r.map(r.block - 2 * r.page, r.block - 2 * r.page, r.block + 5 * r.page);
    for (Granule g : List.of(Granule.K4, Granule.K16, Granule.K64)) {
      all.add(new Change("map pages into no table", g, nothing, pages));
      all.add(
          new Change("map pages beside pages", g, pages, r -> r.map(7 * r.page, 0, 5 * r.page)));
      all.add(new Change("map pages, a block, pages", g, nothing, across));
      all.add(new Change("map blocks", g, pages, blocks));
      all.add(new Change("unmap pages", g, pages, r -> r.unmap(4 * r.page, 2 * r.page)));
      all.add(new Change("unmap all pages", g, pages, r -> r.unmap(3 * r.page, 4 * r.page)));
      all.add(
          new Change(
              "unmap pages, a block, pages",
              g,
              across,
              r -> r.unmap(r.block - 2 * r.page, r.block + 5 * r.page)));
      all.add(
          new Change("take a page out of a block", g, blocks, r -> r.unmap(2 * r.block, r.page)));
      all.add(
          new Change(
              "cut two blocks and take the one between",
              g,
              blocks,
              r -> r.unmap(2 * r.block - 2 * r.page, r.block + 4 * r.page)));
    }
    Consumer<Rig> large = r -> r.map(1L << 30, 3L << 30, 1L << 30);
    all.add(
        new Change(
            "take a page out of a gibibyte",
            Granule.K4,
            large,
            r -> r.unmap((1L << 30) + 0x1234_5000L, r.page)));
    return all.stream();
  }

  static Stream<Change> smallChanges() {
    return changes().filter(c -> c.granule().equals(Granule.K4));
  }

  /// {@return which accesses of a change to let fail: every write to a table that hardware may walk, and of the many alike that fill a new
  /// table, or read one, the first and some more}
  private static List<Integer> worthTrying(Change change, boolean replacesLive, Fault fault) {
    Rig rig = new Rig(change, replacesLive);
    int some = rig.table.geometry().entries(VmsaGeometry.LAST_LEVEL) / 2 - 3;
    List<Integer> tried = new ArrayList<>();
    if (fault == Fault.READ) {
      for (int n = 1; n < 16 * some; n += n < 12 ? 1 : some) {
        tried.add(n);
      }
      return tried;
    }
    int[] n = {0};
    rig.memory.onWrite(pa -> {
      n[0]++;
      if (rig.caches.knows(pa) || n[0] % some == 1) {
        tried.add(n[0]);
      }
    });
    change.change().accept(rig);
    return tried;
  }

  @ParameterizedTest
  @MethodSource("changes")
  @DisplayName("a write that is lost, or lands and is reported as failed, and a read that fails")
  void everyAccess(Change change) {
    // Tables of larger granules have thousands of entries; the code is the same.
    boolean small = change.granule().equals(Granule.K4);
    for (boolean replacesLive : small ? List.of(false, true) : List.of(false)) {
      for (Fault fault :
          small ? List.of(Fault.LOST, Fault.LANDED, Fault.READ) : List.of(Fault.LOST)) {
        int failures = 0;
        for (int n : worthTrying(change, replacesLive, fault)) {
          Rig rig = new Rig(change, replacesLive);
          TreeMap<Long, Long> before = rig.reachable();
          long bytes = rig.frames.bytesInUse();
          rig.memory.failAt(n, fault);
          String when = "%s of access %d, replaces live %s".formatted(fault, n, replacesLive);
          try {
            change.change().accept(rig);
            assertTrue(fault == Fault.READ && rig.memory.stillToFail(), when);
            break;
          } catch (BusErrorException e) {
            failures++;
          }
          rig.memory.stillToFail();
          assertFalse(rig.memory.isUnpublished(), when);
          assertEquals(before, rig.reachable(), when);
          assertEquals(bytes, rig.frames.bytesInUse(), when);
          rig.caches.agreeWith(rig.table, when);
          change.change().accept(rig);
          rig.dissolve(List.of(), when);
        }
        assertTrue(failures > 0, "something failed");
      }
    }
  }

  @ParameterizedTest
  @MethodSource("smallChanges")
  @DisplayName(
      "a place that takes no write any more: the error names its table, which is not used again; the rest is as before")
  void stuck(Change change) {
    for (boolean replacesLive : new boolean[] {false, true}) {
      for (Fault fault : List.of(Fault.STUCK, Fault.LANDED_AND_STUCK)) {
        int refused = 0;
        for (int n : worthTrying(change, replacesLive, fault)) {
          Rig rig = new Rig(change, replacesLive);
          TreeMap<Long, Long> before = rig.reachable();
          long bytes = rig.frames.bytesInUse();
          rig.memory.failAt(n, fault);
          String when = "%s at write %d, replaces live %s".formatted(fault, n, replacesLive);
          List<Pa> lost = List.of();
          try {
            change.change().accept(rig);
            fail(when);
          } catch (TableNotRestored e) {
            refused++;
            lost = e.quarantined();
            check(rig, before, e, when);
          } catch (BusErrorException e) {
            // Nothing walked the table that was being built.
            assertEquals(before, rig.reachable(), when);
            assertEquals(bytes, rig.frames.bytesInUse(), when);
          }
          rig.memory.stillToFail();
          for (Pa pa : lost) {
            assertTrue(!rig.freed.contains(pa.value()), when);
          }
          rig.dissolve(lost, when);
          for (Pa pa : lost) {
            assertTrue(!rig.freed.contains(pa.value()), when + ": " + pa + " was given back");
          }
        }
        assertTrue(refused > 0, "no live write was stuck");
      }
    }
  }

  @ParameterizedTest
  @MethodSource("smallChanges")
  @DisplayName(
      "memory that takes a write no more and cannot be read either: all else is written back, and no table that can be reached is used again")
  void blind(Change change) {
    int refused = 0;
    for (int n : worthTrying(change, true, Fault.STUCK)) {
      Rig rig = new Rig(change, true);
      TreeMap<Long, Long> before = rig.reachable();
      rig.memory.failAt(n, Fault.STUCK_AND_BLIND);
      String when = "write %d".formatted(n);
      try {
        change.change().accept(rig);
        fail(when);
      } catch (TableNotRestored e) {
        refused++;
        rig.memory.stillToFail();
        check(rig, before, e, when);
        assertTrue(
            rig.reachable().keySet().stream()
                .map(rig.table.geometry().granule()::alignDown)
                .noneMatch(rig.freed::contains),
            when);
      } catch (BusErrorException e) {
        // Nothing walked the table that was being built.
        rig.memory.stillToFail();
        assertEquals(before, rig.reachable(), when);
      }
    }
    assertTrue(refused > 0, "no live write was stuck");
  }

  private static void check(Rig rig, TreeMap<Long, Long> before, TableNotRestored e, String when) {
    long at = rig.memory.failedAt();
    assertTrue(e.getMessage().contains("answered by nothing"), e.getMessage());
    assertSame(BusErrorException.class, e.getCause().getClass(), when);
    assertTrue(e.getSuppressed().length > 0, when);
    Pa page = new Pa(rig.table.geometry().granule().alignDown(at));
    assertTrue(e.quarantined().contains(page), () -> when + ": " + page + " not in " + e);
    TreeMap<Long, Long> after = rig.reachable();
    // The stuck descriptor, and what is reached by it, may be old or new. All else is as before.
    for (TreeMap<Long, Long> words : List.of(before, after)) {
      words.remove(at);
      words.keySet().removeIf(slot -> inLost(rig, slot, page, e.quarantined()));
    }
    assertEquals(before, after, when);
  }

  /// {@return whether a descriptor lies in a table behind the stuck descriptor}
  private static boolean inLost(Rig rig, long slot, Pa page, List<Pa> lost) {
    Pa at = new Pa(rig.table.geometry().granule().alignDown(slot));
    return !at.equals(page) && lost.contains(at);
  }

  @ParameterizedTest
  @MethodSource("smallChanges")
  @DisplayName("an invalidation that fails, once or for good, takes the change back")
  void everyInvalidation(Change change) {
    for (boolean forGood : new boolean[] {false, true}) {
      for (int n = 1; ; n++) {
        Rig rig = new Rig(change, false);
        List<String> before = rig.translations();
        rig.caches.failAt(n, forGood);
        String when = "invalidation %d failed, for good %s".formatted(n, forGood);
        try {
          change.change().accept(rig);
          break;
        } catch (IllegalStateException e) {
          assertTrue(e.getMessage().contains("invalidation " + n), e.getMessage());
        }
        rig.caches.work();
        assertFalse(rig.memory.isUnpublished(), when);
        assertEquals(before, rig.translations(), when);
        rig.caches.agreeWith(rig.table, when);
        change.change().accept(rig);
        rig.dissolve(List.of(), when);
      }
    }
  }

  @Test
  @DisplayName(
      "a mapping that is taken back while the queue is dead: what caches may know stays until the tables are closed")
  void deadQueue() {
    Change change = changes().findFirst().orElseThrow();
    Rig rig = new Rig(change, false);
    long bytes = rig.frames.bytesInUse();
    long root = rig.table.root().value();
    rig.memory.failWriteTo(root);
    rig.caches.failAt(1, true);
    TableNotRestored e = assertThrows(TableNotRestored.class, () -> change.change().accept(rig));
    assertEquals(List.of(), rig.translations());
    assertEquals(2, e.quarantined().size());
    assertEquals(bytes + 2 * rig.page, rig.frames.bytesInUse());
    assertEquals("invalidation 1 failed", e.getSuppressed()[0].getMessage());
    rig.caches.work();
    rig.frames.onFree(rig.freed::add);
    rig.table.close();
    assertEquals(0, rig.frames.bytesInUse());
  }
}
