package dev.doorbell.vmsa;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.OutOfFramesException;
import dev.doorbell.iommu.Protection;
import dev.doorbell.simple.CountedFrames;
import dev.doorbell.simple.PlainMemory;
import dev.doorbell.testkit.Property;
import dev.doorbell.testkit.SeededRandom;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class VmsaTableTest {
  private static final List<Granule> GRANULES = List.of(Granule.K4, Granule.K16, Granule.K64);
  private static final List<Protection> RIGHTS =
      List.of(Protection.READ_ONLY, Protection.READ_WRITE, Protection.DOORBELL);
  private static final long RAM = 0x4000_0000L;
  private static final long RAM_BYTES = 1L << 32;

  private final PlainMemory memory = new PlainMemory(RAM, RAM_BYTES);
  private final CountedFrames frames = new CountedFrames(memory, RAM, RAM_BYTES);

  private VmsaTable table(VmsaGeometry geometry) {
    return VmsaTable.create(geometry, memory, frames, false);
  }

  private VmsaWalk walk(VmsaTable table, long input, boolean write) {
    return new VmsaWalker(
            table.geometry(),
            table.root(),
            pa -> OptionalLong.of(memory.read64(pa)),
            VmsaWalker.Options.PLAIN)
        .walk(input, write);
  }

  @Test
  @DisplayName("Map and unmap agree with a simple reference for all granules, stages and widths")
  void agreesWithReference() {
    Property.check("VMSA map/unmap", 60, random -> new Run(random).go(60));
  }

  /// One random history.
  private static final class Run {
    private final SeededRandom random;
    private final VmsaGeometry geometry;
    private final PlainMemory memory = new PlainMemory(RAM, RAM_BYTES);
    private final CountedFrames frames = new CountedFrames(memory, RAM, RAM_BYTES);
    private final VmsaTable table;
    private final MappingReference reference = new MappingReference();
    private final long base;
    private final long span;
    private final Set<Long> linked = new HashSet<>();
    private boolean invalidated;

    Run(SeededRandom random) {
      this.random = random;
      Granule granule = random.pick(GRANULES);
      Stage stage = random.pick(Stage.values());
      int output = random.pick(List.of(32, 40, 44, 48, granule.equals(Granule.K64) ? 52 : 48));
      int input = random.between(32, stage == Stage.STAGE2 ? Math.min(48, output) : 48);
      geometry = VmsaGeometry.of(granule, stage, input, output);
      table = VmsaTable.create(geometry, memory, frames, random.nextBoolean());
      int level = geometry.leafAllowed(2) ? 2 : 3;
      span = Math.min(1L << input, 3 * geometry.bytes(level));
      base = geometry.alignDown(random.between(0L, (1L << input) - span), level);
    }

    void go(int steps) {
      long root = frames.bytesInUse();
      memory.onWrite((pa, before, after) -> {
        boolean link = (after & 0b11) == 0b11 && !DescriptorLayout.AF.isSet(after);
        if (link) {
          linked.add(Descriptors.address(geometry, after));
        }
      });
      frames.onFree(at ->
          assertTrue(
              !linked.remove(at) || invalidated, "a table came back before it was invalidated"));
      for (int i = 0; i < steps; i++) {
        step();
        check();
      }
      invalidated = false;
      long mapped = reference.unmap(0, 1L << geometry.inputBits());
      assertEquals(
          mapped,
          table.unmap(
              new Iova(0), 1L << geometry.inputBits(), (range, leaf) -> invalidated = true));
      assertEquals(root, frames.bytesInUse(), "tables are left although nothing is mapped");
      invalidated = true;
      table.close();
      assertEquals(0, frames.bytesInUse());
    }

    private void step() {
      long granule = geometry.granule().bytes();
      long block = geometry.bytes(2);
      long start = random.oneIn(3) ? base + span / 3 * random.below(3) : base + page(span);
      long bytes =
          random.oneIn(3)
              ? block
              : random.oneIn(2) ? granule * random.between(1, 8) : page(span) + granule;
      bytes = Math.min(bytes, base + span - start);
      if (random.oneIn(4)) {
        frames.limit(frames.bytesInUse() + granule * random.below(2));
      }
      long before = frames.bytesInUse();
      try {
        if (random.oneIn(3)) {
          unmap(start, bytes);
        } else {
          map(start, bytes);
        }
      } catch (OutOfFramesException none) {
        assertEquals(before, frames.bytesInUse(), "a refused change kept memory");
      } finally {
        frames.limit(Long.MAX_VALUE);
      }
    }

    private void map(long start, long bytes) {
      long top = 1L << geometry.outputBits();
      long output = page(top - bytes);
      if (random.nextBoolean() && top > 2 * geometry.bytes(2) + bytes) {
        output = geometry.alignDown(output, 2) + geometry.offset(start, 2);
        output = output + bytes > top ? output - geometry.bytes(2) : output;
      }
      Protection protection = random.pick(RIGHTS);
      long to = output;
      if (reference.overlaps(start, bytes)) {
        assertThrows(
            IllegalArgumentException.class,
            () -> table.map(new Iova(start), new Pa(to), bytes, protection, TlbInvalidation.NONE));
      } else {
        table.map(new Iova(start), new Pa(to), bytes, protection, TlbInvalidation.NONE);
        reference.map(start, bytes, to, protection);
      }
    }

    private void unmap(long start, long bytes) {
      invalidated = false;
      long cleared = table.unmap(new Iova(start), bytes, (range, leaf) -> invalidated = true);
      long expected = reference.unmap(start, bytes);
      assertEquals(expected, cleared);
      assertTrue(expected == 0 || invalidated);
    }

    private void check() {
      List<Long> probes = new ArrayList<>();
      reference
          .runs()
          .forEach((start, run) -> {
            probes.add(start - 1);
            probes.add(start);
            probes.add(start + run.bytes() - 1);
            probes.add(start + run.bytes());
          });
      for (int i = 0; i < 8; i++) {
        probes.add(base + random.between(0L, span - 1));
      }
      for (long probe : probes) {
        if (probe >= 0 && geometry.aperture().contains(probe)) {
          probe(probe);
        }
      }
    }

    private void probe(long probe) {
      long expected = reference.lookup(probe);
      assertEquals(expected, table.lookup(probe), () -> "lookup of 0x" + Long.toHexString(probe));
      VmsaWalker walker =
          new VmsaWalker(
              geometry,
              table.root(),
              pa -> OptionalLong.of(memory.read64(pa)),
              VmsaWalker.Options.PLAIN);
      if (expected < 0) {
        assertInstanceOf(VmsaOutcome.NotMapped.class, walker.walk(probe, false).outcome());
        return;
      }
      Protection p = reference.protection(probe);
      boolean readable = p.read() || geometry.stage() == Stage.STAGE1;
      outcome(walker.walk(probe, false).outcome(), readable, expected, p);
      outcome(walker.walk(probe, true).outcome(), p.write(), expected, p);
    }

    private static void outcome(VmsaOutcome outcome, boolean allowed, long pa, Protection p) {
      if (!allowed) {
        assertInstanceOf(VmsaOutcome.Denied.class, outcome);
        return;
      }
      VmsaOutcome.Mapped mapped = assertInstanceOf(VmsaOutcome.Mapped.class, outcome);
      assertEquals(new Pa(pa), mapped.output());
      assertEquals(p.device(), mapped.device());
    }

    private long page(long below) {
      return geometry.granule().alignDown(random.between(0L, below - 1));
    }
  }

  @Test
  @DisplayName("A gibibyte with both ends aligned is one descriptor of level 1")
  void largestBlocks() {
    VmsaTable table = table(VmsaGeometry.of(Granule.K4, Stage.STAGE1, 48, 48));
    table.map(
        new Iova(1L << 30),
        new Pa(3L << 30),
        1L << 30,
        Protection.READ_WRITE,
        TlbInvalidation.NONE);
    assertEquals(2 * 4096, frames.bytesInUse());
    VmsaWalk walk = walk(table, (1L << 30) + 0x12345, true);
    assertEquals(2, walk.steps().size());
    assertEquals(
        new VmsaOutcome.Mapped(new Pa((3L << 30) + 0x12345), 1L << 30, 1, false), walk.outcome());
  }

  @Test
  @DisplayName(
      "Taking one page out of a gibibyte leaves all the rest mapped, in the largest blocks")
  void splitsBlock() {
    VmsaTable table = table(VmsaGeometry.of(Granule.K4, Stage.STAGE2, 40, 40));
    table.map(new Iova(0), new Pa(1L << 30), 1L << 30, Protection.READ_WRITE, TlbInvalidation.NONE);
    List<String> calls = new ArrayList<>();
    long page = 0x12345000;
    assertEquals(
        4096, table.unmap(new Iova(page), 4096, (range, leaf) -> calls.add(range + " " + leaf)));
    assertEquals(List.of("[0x0, 0x3fffffff] true", "[0x12345000, 0x12345fff] true"), calls);
    assertEquals(-1, table.lookup(page));
    assertEquals((1L << 30) + page - 1, table.lookup(page - 1));
    assertEquals((1L << 30) + page + 4096, table.lookup(page + 4096));
    assertEquals(
        new VmsaOutcome.Mapped(new Pa(1L << 30), 1L << 21, 2, false),
        walk(table, 0, false).outcome());
  }

  @Test
  @DisplayName("A table is linked only after it is filled and published")
  void publishesBeforeLinking() {
    VmsaTable table = table(VmsaGeometry.of(Granule.K4, Stage.STAGE1, 48, 48));
    List<Integer> atLink = new ArrayList<>();
    memory.onWrite((pa, before, after) -> {
      if (pa == table.root().value()) {
        atLink.add(memory.publishes());
        assertEquals(0x8000L, table.lookup(0x5000L), "the table was linked before it was filled");
      }
    });
    table.map(new Iova(0x5000), new Pa(0x8000), 4096, Protection.READ_WRITE, TlbInvalidation.NONE);
    assertEquals(List.of(1), atLink);
  }

  @Test
  @DisplayName("Without break-before-make level 2 a block never becomes a table in one write")
  void breakBeforeMake() {
    VmsaTable table = table(VmsaGeometry.of(Granule.K4, Stage.STAGE1, 48, 48));
    table.map(new Iova(0), new Pa(0), 1L << 21, Protection.READ_WRITE, TlbInvalidation.NONE);
    memory.onWrite((pa, before, after) -> {
      boolean block = (before & 0b11) == 0b01;
      assertTrue(!block || after == 0, () -> "0x%x became 0x%x".formatted(before, after));
    });
    assertEquals(4096, table.unmap(new Iova(0x1000), 4096, TlbInvalidation.NONE));
  }

  @Test
  @DisplayName("R5: what is not whole granules or leaves the widths is refused with its numbers")
  void refusals() {
    VmsaTable table = table(VmsaGeometry.of(Granule.K64, Stage.STAGE1, 40, 44));
    refused("0x1000 bytes at 0x0 are not whole granules of 64K", 0, 0, 0x1000);
    refused("0x0 bytes at 0x0 are not whole granules of 64K", 0, 0, 0);
    refused(
        "0x20000 bytes at 0xffffff0000 leave the 40-bit input [0x0, 0xffffffffff]",
        0xffffff0000L,
        0,
        0x20000);
    refused(
        "0x10000 bytes at 0xffffffffffff0000 leave the 40-bit input [0x0, 0xffffffffff]",
        -0x10000L,
        0,
        0x10000);
    refused("mapping 0x0 to 0x1000 is not aligned to the granule 64K", 0, 0x1000, 0x10000);
    refused(
        "mapping [0x0, 0x1ffff] to 0xfffffff0000 leaves the 44-bit output",
        0,
        0xfffffff0000L,
        0x20000);
    refused(
        "mapping [0x0, 0x1ffff] to 0xffffffffffff0000 leaves the 44-bit output",
        0,
        -0x10000L,
        0x20000);
    table.map(new Iova(0x20000), new Pa(0), 0x10000, Protection.READ_ONLY, TlbInvalidation.NONE);
    assertEquals(
        "mapping [0x0, 0x3ffff] meets a mapping at 0x20000; unmap it first",
        assertThrows(
                IllegalArgumentException.class,
                () ->
                    table.map(
                        new Iova(0),
                        new Pa(0),
                        0x40000,
                        Protection.READ_ONLY,
                        TlbInvalidation.NONE))
            .getMessage());
  }

  private void refused(String message, long input, long output, long bytes) {
    VmsaTable table = table(VmsaGeometry.of(Granule.K64, Stage.STAGE1, 40, 44));
    long before = frames.bytesInUse();
    assertEquals(
        message,
        assertThrows(
                IllegalArgumentException.class,
                () ->
                    table.map(
                        new Iova(input),
                        new Pa(output),
                        bytes,
                        Protection.READ_ONLY,
                        TlbInvalidation.NONE))
            .getMessage());
    assertEquals(before, frames.bytesInUse());
  }
}
