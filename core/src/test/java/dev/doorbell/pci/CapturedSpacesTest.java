package dev.doorbell.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.explain.Oddity;
import dev.doorbell.testkit.Shared;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("PCIe 7.5.1.1.11, 7.6: capability walks over captured configuration spaces")
class CapturedSpacesTest {
  @Test
  void everySpaceIsWalkedAndEveryQuestionAnswered() throws IOException {
    int functions = 0;
    for (String under : List.of("lab-captures", "captures")) {
      for (Path machine : CapturedFunctions.machines(under)) {
        List<PciFunction> all = CapturedFunctions.functions(machine);
        functions += all.size();
        all.forEach(CapturedSpacesTest::ask);
        PciTopology t = PciTopology.of(all);
        for (AcsAssumption a : AcsAssumption.values()) {
          List<Groups.Group> groups = Groups.derive(t, a);
          assertEquals(
              t.functions().size(), groups.stream().mapToInt(g -> g.functions().size()).sum());
        }
      }
    }
    assertTrue(functions > 700, "only " + functions + " spaces");
  }

  @Test
  void aDumpOf64BytesDoesNotTellWhetherThereIsMsi() throws IOException {
    Path machine = Shared.require("captures/x86/hwloc-32em64t-137fn");
    List<PciFunction> all = CapturedFunctions.functions(machine);
    assertEquals(137, all.size());
    for (PciFunction f : all) {
      boolean listed =
          ConfigAccess.header(f.config())
              .isSet(ConfigHeaderLayout.STATUS, ConfigHeaderLayout.CAPABILITIES_LIST);
      assertEquals(listed, f.msi().isNotVisible(), f.toString());
      assertEquals(listed, f.acs().isNotVisible(), f.toString());
      assertFalse(f.msi().isThere());
    }
  }

  @Test
  void brokenExtendedListsAreReportedAndEnd() throws IOException {
    Path text = Shared.require("captures/any/pciutils-capability-dumps/broken-ecaps.lspci.txt");
    List<PciFunction> all = CapturedFunctions.lspci(text);
    assertFalse(all.isEmpty());
    List<Oddity> odd = new ArrayList<>();
    all.forEach(f -> odd.addAll(f.oddities()));
    assertFalse(odd.isEmpty(), all.toString());
    odd.forEach(o -> assertTrue(o.source().offset() >= 0, o.toString()));
  }

  @Test
  void everyCapabilityDumpOfPciutilsIsWalked() throws IOException {
    Path folder = Shared.require("captures/any/pciutils-capability-dumps");
    int seen = 0;
    try (Stream<Path> files = Files.list(folder)) {
      for (Path p : files.filter(x -> x.toString().endsWith(".lspci.txt")).sorted().toList()) {
        for (PciFunction f : CapturedFunctions.lspci(p)) {
          ask(f);
          seen++;
        }
      }
    }
    assertTrue(seen >= 38, "only " + seen);
  }

  private static void ask(PciFunction f) {
    Capabilities c = f.capabilities();
    assertEquals(
        c.all().size(), c.all().stream().map(x -> x.offset()).distinct().count(), f.toString());
    f.msi()
        .thing()
        .ifPresent(m -> assertTrue(m.size() >= 1 && m.size() <= 32 && m.granted() <= 32));
    f.msix().thing().ifPresent(m -> assertTrue(m.vectors() >= 1 && m.vectors() <= 2048));
    f.bars();
    f.acs();
    f.sriov();
    f.portType();
  }
}
