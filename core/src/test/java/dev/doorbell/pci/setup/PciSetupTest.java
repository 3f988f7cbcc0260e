package dev.doorbell.pci.setup;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.MmioDevice;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.hw.pcie.BarModel;
import dev.doorbell.hw.pcie.BridgeModel;
import dev.doorbell.hw.pcie.EndpointSpec;
import dev.doorbell.hw.pcie.RootComplexModel;
import dev.doorbell.pci.BarDecode.Kind;
import dev.doorbell.pci.BridgeRegisters;
import dev.doorbell.pci.ConfigAccess;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.Ecam;
import dev.doorbell.pci.PortType;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.pci.SriovLayout;
import dev.doorbell.pci.setup.RandomTree.Leaf;
import dev.doorbell.testkit.Property;
import dev.doorbell.testkit.SeededRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("PCI Express Base 6.0 7.5.1, PCI-to-PCI Bridge 1.2 3.2.5: buses numbered, BARs placed")
class PciSetupTest {
  private static final List<RootBus> ONE_ROOT = List.of(new RootBus(0, 255));
  private static final PciWindow LOW =
      new PciWindow("low window", AddressRange.ofSize(0x1000_0000L, 0x8000_0000L), false);
  private static final PciWindow HIGH =
      new PciWindow("high window", AddressRange.ofSize(0x80_0000_0000L, 1L << 39), false);

  @Test
  @DisplayName(
      "every BAR of a random hierarchy lies alone, in all windows above it, and is reached")
  void everyBarIsReached() {
    int[] placed = new int[1];
    Property.check(
        "PciSetup reach",
        250,
        random -> {
          RandomTree tree = new RandomTree(random, random.nextBoolean());
          try {
            List<PlacedFunction> result = PciSetup.run(tree.ecam(), ONE_ROOT, List.of(LOW, HIGH));
            assertEquals(tree.functions.size(), result.size());
            numbersNest(tree);
            nothingOverlaps(result);
            vfsHaveRoom(tree, result);
            tree.leaves.forEach(leaf -> reached(tree, leaf, result));
            assertEquals(result, PciSetup.run(tree.ecam(), ONE_ROOT, List.of(LOW, HIGH)));
            placed[0]++;
          } catch (BusNumbersExhausted e) {
            assertTrue(e.refusal().needed().get().value() > 256, e::getMessage);
          }
        });
    assertTrue(placed[0] > 0);
  }

  @Test
  @DisplayName("what does not fit is refused with both figures, and every register is as before")
  void refusalLeavesNothing() {
    int[] refused = new int[1];
    Property.check(
        "PciSetup refusal",
        120,
        random -> {
          RandomTree tree = new RandomTree(random, random.nextBoolean());
          if (random.nextBoolean()) {
            // Numbers and places of an earlier set-up must survive as well.
            runOrRefuse(tree, List.of(LOW, HIGH));
          }
          List<byte[]> before = tree.spaces();
          PciWindow small =
              new PciWindow("small window", AddressRange.ofSize(0x1000_0000L, 0x40_0000L), false);
          try {
            PciSetup.run(tree.ecam(), ONE_ROOT, List.of(small));
          } catch (PciSetupException e) {
            refused[0]++;
            assertTrue(
                e.refusal().needed().get().value() > e.refusal().available().get().value(),
                e::getMessage);
            List<byte[]> after = tree.spaces();
            for (int i = 0; i < before.size(); i++) {
              assertArrayEquals(before.get(i), after.get(i), "function " + i);
            }
          }
        });
    assertTrue(refused[0] > 20, "only %d cases were refused".formatted(refused[0]));
  }

  @Test
  @DisplayName("two root buses share the windows and keep to their own numbers")
  void twoRoots() {
    RandomTree tree = new RandomTree(SeededRandom.of(7), false);
    List<PlacedFunction> result =
        PciSetup.run(
            tree.ecam(),
            List.of(new RootBus(0, 0x7f), new RootBus(0x80, 0xff)),
            List.of(LOW, HIGH));
    assertTrue(result.stream().allMatch(f -> f.sbdf().bus() < 0x80));
  }

  private static void runOrRefuse(RandomTree tree, List<PciWindow> windows) {
    try {
      var unused = PciSetup.run(tree.ecam(), ONE_ROOT, windows);
    } catch (BusNumbersExhausted e) {
      assertFalse(e.getMessage().isEmpty());
    }
  }

  private static void numbersNest(RandomTree tree) {
    List<BridgeRegisters> all =
        tree.bridges.stream().map(b -> BridgeRegisters.of(b.config())).toList();
    for (BridgeRegisters b : all) {
      assertTrue(b.primary() < b.secondary() && b.secondary() <= b.subordinate(), b::toString);
    }
    for (Leaf leaf : tree.leaves) {
      int bus = leaf.model().requesterId() >>> 8;
      leaf.above().forEach(b -> assertTrue(BridgeRegisters.of(b.config()).leadsTo(bus)));
    }
    assertEquals(all.size(), all.stream().map(BridgeRegisters::secondary).distinct().count());
  }

  private static void nothingOverlaps(List<PlacedFunction> result) {
    List<AddressRange> ranges = new ArrayList<>();
    for (PlacedFunction f : result) {
      f.bars().forEach(b -> ranges.add(b.range()));
      f.vfBars().forEach(b -> ranges.add(b.range()));
      for (PlacedFunction.Bar b : f.bars()) {
        assertEquals(0, b.range().start() & (b.range().bytes() - 1), b::toString);
        assertTrue(b.kind() == Kind.MEMORY_64 || b.range().last() >>> 32 == 0, b::toString);
      }
    }
    ranges.sort(null);
    for (int i = 1; i < ranges.size(); i++) {
      AddressRange before = ranges.get(i - 1);
      AddressRange next = ranges.get(i);
      assertFalse(before.overlaps(next), () -> before + " meets " + next);
    }
    ranges.forEach(
        r -> assertTrue(LOW.range().contains(r) || HIGH.range().contains(r), r::toString));
  }

  private static void vfsHaveRoom(RandomTree tree, List<PlacedFunction> result) {
    Map<Sbdf, PlacedFunction> by =
        result.stream().collect(Collectors.toMap(PlacedFunction::sbdf, Function.identity()));
    for (Leaf leaf : tree.leaves) {
      PlacedFunction placed = by.get(Sbdf.of(0, leaf.model().requesterId()));
      List<EndpointSpec.Bar> wanted =
          leaf.spec().sriov().map(EndpointSpec.Sriov::bars).orElse(List.of());
      assertEquals(wanted.size(), placed.vfBars().size());
      for (int i = 0; i < wanted.size(); i++) {
        EndpointSpec.Bar w = wanted.get(i);
        PlacedFunction.Bar p = placed.vfBars().get(i);
        assertEquals(w.index(), p.index());
        assertEquals(w.bytes() * leaf.spec().sriov().get().totalVfs(), p.range().bytes());
        ConfigAccess at = new ConfigAccess(leaf.model().config(), 0x100);
        assertEquals(
            p.range().start() & 0xffff_fff0L,
            ConfigHeaderLayout.BAR_MEMORY_BASE.get(at.read(SriovLayout.VF_BAR, p.index())));
        inWindows(leaf, p.range());
      }
      leaf.spec()
          .sriov()
          .ifPresent(s -> {
            int last =
                leaf.model().requesterId() + s.firstOffset() + (s.totalVfs() - 1) * s.stride();
            leaf.above()
                .forEach(b -> assertTrue(BridgeRegisters.of(b.config()).leadsTo(last >>> 8)));
          });
    }
  }

  private static void reached(RandomTree tree, Leaf leaf, List<PlacedFunction> result) {
    PlacedFunction placed =
        result.stream()
            .filter(f -> f.sbdf().requesterId() == leaf.model().requesterId())
            .findFirst()
            .orElseThrow();
    assertEquals(leaf.spec().bars().size(), placed.bars().size());
    for (BarModel bar : leaf.model().bars()) {
      AddressRange range = AddressRange.ofSize(bar.address(), bar.bytes());
      assertTrue(
          placed.bars().stream()
              .anyMatch(b -> b.index() == bar.index() && b.range().equals(range)));
      inWindows(leaf, range);
      long expected = leaf.number() << 8 | bar.index();
      assertEquals(expected, tree.at(range.start()).read32(0));
      assertEquals(expected, tree.at(range.last() - 3).read32(0));
    }
  }

  private static void inWindows(Leaf leaf, AddressRange range) {
    for (BridgeModel b : leaf.above()) {
      assertTrue(
          b.decodes(range.start()) && b.decodes(range.last()),
          () -> "%s is outside a bridge's windows".formatted(range));
    }
  }

  @Test
  @DisplayName("3.2.5.3: bus numbers of an earlier set-up never let two bridges answer for one bus")
  void staleNumbers() {
    RandomTree up = new RandomTree(SeededRandom.of(7), false);
    RootComplexModel complex = new RootComplexModel(0, 0, 255, up, false);
    List<BridgeModel> ports = new ArrayList<>();
    for (int device = 1; device <= 3; device++) {
      BridgeModel port = BridgeModel.create(Optional.of(PortType.ROOT_PORT), 0x1b36, 12, false);
      port.setBusNumbers(new BridgeRegisters(0, 1, 255));
      complex.root().add(8 * device, port);
      ports.add(port);
    }
    MmioDevice inner = complex.ecam();
    int[] looks = new int[1];
    RegisterBus watched =
        new RegisterBus() {
          private long alone(long offset) {
            long bus = offset >>> 20;
            long claiming =
                ports.stream()
                    .filter(p -> bus != 0 && p.config().read8(0x19) <= bus)
                    .filter(p -> p.config().read8(0x19) != 0 && bus <= p.config().read8(0x1a))
                    .count();
            assertTrue(claiming <= 1, () -> claiming + " bridges answer for bus " + bus);
            looks[0] += (int) claiming;
            return offset;
          }

          @Override
          public long read(long offset, int bytes) {
            return inner.read(alone(offset), bytes).value();
          }

          @Override
          public void write(long offset, long value, int bytes) {
            assertEquals(BusOutcome.OK, inner.write(alone(offset), value, bytes, SystemBus.CPU));
          }
        };
    assertEquals(3, PciSetup.run(new Ecam(watched, 0, 0, 255), ONE_ROOT, List.of(LOW)).size());
    assertTrue(looks[0] > 0);
    assertEquals(List.of(1, 2, 3), ports.stream().map(p -> p.config().read8(0x19)).toList());
  }
}
