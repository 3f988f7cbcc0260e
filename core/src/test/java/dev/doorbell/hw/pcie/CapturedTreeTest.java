package dev.doorbell.hw.pcie;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.hw.pcie.Hierarchy.Arrived;
import dev.doorbell.pci.CapturedFunctions;
import dev.doorbell.pci.ConfigAccess;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.DmaAliases;
import dev.doorbell.pci.Firing;
import dev.doorbell.pci.MessageTable;
import dev.doorbell.pci.MsiCapability;
import dev.doorbell.pci.MsixCapability;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.PciTopology;
import dev.doorbell.pci.PciTopology.BusId;
import dev.doorbell.pci.PciTopology.Parent;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName(
    "PCIe 7.7: models of captured functions deliver the messages that their capabilities describe")
class CapturedTreeTest {
  /// BARs from sysfs `resource`, whose lines 0 to 5 are start, last and flags.
  private record Sysfs(Path machine) implements CapturedTree.Devices {
    private static final long MEMORY = 0x200;

    @Override
    public List<CapturedTree.Placed> bars(PciFunction f) {
      try {
        Path file = CapturedFunctions.device(machine, f.sbdf()).resolve("resource");
        if (!Files.isRegularFile(file)) {
          return List.of();
        }
        List<CapturedTree.Placed> bars = new ArrayList<>();
        List<String> lines = Files.readAllLines(file);
        for (int i = 0; i < 6 && i < lines.size(); i++) {
          String[] words = lines.get(i).split(" ", -1);
          long start = Long.parseUnsignedLong(words[0].substring(2), 16);
          long last = Long.parseUnsignedLong(words[1].substring(2), 16);
          if (last != 0 && (Long.parseUnsignedLong(words[2].substring(2), 16) & MEMORY) != 0) {
            bars.add(new CapturedTree.Placed(i, new AddressRange(start, last)));
          }
        }
        return bars;
      } catch (IOException e) {
        throw new java.io.UncheckedIOException(e);
      }
    }

    @Override
    public EndpointRegisters registers(PciFunction f) {
      return EndpointRegisters.NONE;
    }
  }

  @Test
  void everyMsiAndMsixOfTheLabCapturesArrivesUnderTheIdThatTheIommuSees() throws IOException {
    int delivered = 0;
    for (Path machine : CapturedFunctions.machines("lab-captures")) {
      List<PciFunction> all = CapturedFunctions.functions(machine);
      PciTopology t = PciTopology.of(all, CapturedFunctions.rootBuses(machine));
      for (BusId root : roots(t)) {
        Hierarchy h = new Hierarchy(root.segment(), root.bus());
        assertEquals(
            List.of(), CapturedTree.build(h.complex, t, new Sysfs(machine)), machine.toString());
        for (PciFunction f : t.functions()) {
          if (belongs(t, f, root)) {
            delivered += deliverAll(machine, t, f, h);
          }
        }
      }
    }
    assertTrue(delivered >= 386, "only " + delivered);
  }

  @Test
  void everyCapturedSpaceBecomesAModelThatReadsTheSame() throws IOException {
    int functions = 0;
    for (Path machine : CapturedFunctions.machines("captures")) {
      PciTopology t = PciTopology.of(CapturedFunctions.functions(machine));
      for (BusId root : roots(t)) {
        Hierarchy h = new Hierarchy(root.segment(), root.bus());
        List<PciFunction> left = CapturedTree.build(h.complex, t, new Sysfs(machine));
        for (PciFunction f : t.functions()) {
          if (belongs(t, f, root) && !left.contains(f) && reachable(t, f)) {
            var live = h.complex.config(f.sbdf());
            assertEquals(f.config().read32(0), live.read32(0), machine + " " + f);
            assertEquals(
                f.capabilities().all(),
                PciFunction.of(f.sbdf(), live, "m").capabilities().all(),
                f.toString());
            functions++;
          }
        }
      }
    }
    assertTrue(functions > 450, "only " + functions);
  }

  private static boolean reachable(PciTopology t, PciFunction f) {
    // A link below a port has device 0 only, unless the port forwards ARI numbers; captured CardBus
    // and multi-device dumps may break that.
    return !(t.parent(f) instanceof Parent.Bridge(PciFunction b))
        || f.sbdf().device() == 0
        || b.forwardsAri()
        || b.portType()
            .thing()
            .filter(p -> p.words().endsWith("port") && !p.words().contains("upstream"))
            .isEmpty();
  }

  private static Set<BusId> roots(PciTopology t) {
    Set<BusId> roots = new HashSet<>();
    for (PciFunction f : t.functions()) {
      if (t.top(f) instanceof Parent.RootComplex(BusId bus)) {
        roots.add(bus);
      }
    }
    return roots;
  }

  private static boolean belongs(PciTopology t, PciFunction f, BusId root) {
    return t.top(f).equals(new Parent.RootComplex(root));
  }

  private static int deliverAll(Path machine, PciTopology t, PciFunction f, Hierarchy h) {
    if (f.isBridge()) {
      return 0;
    }
    Optional<FunctionModel> found =
        h.complex.function(f.sbdf().bus(), f.sbdf().device(), f.sbdf().function());
    EndpointModel model =
        (EndpointModel)
            found.orElseThrow(() -> new AssertionError(machine + ": no model answers at " + f));
    ConfigAccess.header(model.config())
        .set(ConfigHeaderLayout.COMMAND, ConfigHeaderLayout.BUS_MASTER_ENABLE, 1);
    PciFunction live = PciFunction.of(f.sbdf(), model.config(), f.toString());
    int done = live.msi().thing().map(m -> deliver(t, f, h, model, m)).orElse(0);
    done += live.msix().thing().map(m -> deliver(t, f, h, model, msix(model, h, m))).orElse(0);
    return done;
  }

  private static MessageTable msix(EndpointModel model, Hierarchy h, MsixCapability m) {
    long table =
        model.bars().stream()
            .filter(b -> b.index() == m.tableBar())
            .findFirst()
            .orElseThrow()
            .address();
    long pba =
        model.bars().stream()
            .filter(b -> b.index() == m.pbaBar())
            .findFirst()
            .orElseThrow()
            .address();
    return m.table(h.at(table), h.at(pba));
  }

  private static int deliver(
      PciTopology t, PciFunction f, Hierarchy h, EndpointModel model, MessageTable table) {
    assertFalse(table.isEnabled(), "a model starts as after reset: " + f);
    int rid = DmaAliases.atRootComplex(t, f);
    int n = table instanceof MsiCapability msi ? msi.size() : table.size();
    for (int v = 0; v < n; v++) {
      table.write(v, 0x808_0040L, table.kind() == MessageTable.Kind.MSI ? v : 0x100 + v);
      if (table.kind() == MessageTable.Kind.MSIX) {
        table.mask(v, false);
      }
    }
    table.enable(n);
    for (int v = 0; v < n; v++) {
      h.arrived.clear();
      assertEquals(Firing.SENT, model.fire(v), f + " vector " + v);
      assertEquals(List.of(new Arrived(rid, 0x808_0040L, table.data(v))), h.arrived, f.toString());
    }
    table.disable();
    return n;
  }
}
