package dev.doorbell.firmware;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.description.Arch;
import dev.doorbell.description.HostBridge;
import dev.doorbell.description.InterruptRemapping;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.testkit.Shared;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

@DisplayName("VT-d 8 DMAR and 48882 5.2 IVRS: tables of real x86 machines")
class CapturedX86Test {
  private static final Map<String, Integer> STRUCTURES =
      Map.ofEntries(
          Map.entry("DRHD", Dmar.DRHD),
          Map.entry("RMRR", Dmar.RMRR),
          Map.entry("ATSR", Dmar.ATSR),
          Map.entry("RHSA", Dmar.RHSA),
          Map.entry("ANDD", Dmar.ANDD),
          Map.entry("SATC", Dmar.SATC),
          Map.entry("SIDP", Dmar.SIDP),
          Map.entry("IVHD10", Ivrs.IVHD_10),
          Map.entry("IVHD11", Ivrs.IVHD_11),
          Map.entry("IVHD40", Ivrs.IVHD_40),
          Map.entry("IVMDsel", Ivrs.IVMD_SELECT),
          Map.entry("IVMDrng", Ivrs.IVMD_RANGE),
          Map.entry("0x51", 0x51));

  private static MachineDescription machine(String name) {
    return Firmware.read(Sysroot.open(Shared.require("captures/x86/" + name)));
  }

  private static MachineDescription lab(String name) {
    return Firmware.read(Sysroot.open(Shared.require("lab-captures/" + name)));
  }

  /// The counts in the index and in the corpus's list were made by another reader.
  @TestFactory
  Stream<DynamicTest> structuresAreAsManyAsTheIndexCounts() throws IOException {
    Pattern row =
        Pattern.compile("\\| x86/(\\S+) \\| x86 \\| [^|]*\\(([^)|]*x[0-9][^)|]*)\\) \\|.*");
    List<DynamicTest> tests = new ArrayList<>();
    for (String line : Files.readAllLines(Shared.require("captures/INDEX.md"))) {
      Matcher m = row.matcher(line);
      if (m.matches()) {
        tests.add(counts(m.group(1), m.group(2)));
      }
    }
    assertTrue(tests.size() > 30, "the index lists " + tests.size() + " machines with counts");
    String corpus = "corpus-linuxhw/";
    for (String line :
        Files.readAllLines(Shared.require("captures/x86/" + corpus + "corpus.tsv"))) {
      String[] columns = line.split("\t", -1);
      tests.add(counts(corpus + columns[0], columns[2]));
    }
    assertTrue(tests.size() > 380, "machines in all: " + tests.size());
    return tests.stream();
  }

  private static DynamicTest counts(String name, String stated) {
    return DynamicTest.dynamicTest(
        name + " " + stated, () -> assertEquals(expected(stated), counted(name)));
  }

  private static Map<Integer, Integer> expected(String counts) {
    Map<Integer, Integer> out = new TreeMap<>();
    for (String part : counts.split(" ", -1)) {
      int x = part.lastIndexOf('x');
      Integer type = x < 0 ? null : STRUCTURES.get(part.substring(0, x));
      if (type != null) {
        out.put(type, Integer.parseInt(part.substring(x + 1)));
      } else if (part.startsWith("fl=")) {
        out.put(-1, Integer.parseInt(part.substring(3)));
      } else if (part.startsWith("haw=")) {
        out.put(-2, Integer.parseInt(part.substring(4)));
      }
    }
    // The corpus's list has both, the index has flags alone: compare what is stated.
    return out;
  }

  private static Map<Integer, Integer> counted(String name) {
    Findings findings = new Findings();
    AcpiTables tables =
        AcpiTables.read(
            Sysroot.open(Shared.require("captures/x86/" + name)), AcpiTables.FOLDER, findings);
    Map<Integer, Integer> out = new TreeMap<>();
    tables
        .table("DMAR")
        .map(t -> Dmar.read(t, findings))
        .ifPresent(d -> {
          out.putAll(d.counts());
          out.put(-1, d.flags());
          if (name.startsWith("corpus")) {
            out.put(-2, d.width());
          }
        });
    tables.table("IVRS").map(t -> Ivrs.read(t, findings)).ifPresent(i -> out.putAll(i.counts()));
    return out;
  }

  @Test
  @DisplayName("all 352 machines of the corpus: IOMMUs, local APICs, and no table refused")
  void corpus() throws IOException {
    int read = 0;
    List<String> without = new ArrayList<>();
    List<String> hidden = new ArrayList<>();
    try (Stream<Path> all = Files.list(Shared.require("captures/x86/corpus-linuxhw"))) {
      for (Path p : all.filter(Files::isDirectory).sorted().toList()) {
        MachineDescription m = Firmware.read(Sysroot.open(p));
        read++;
        assertEquals(Arch.X86, m.arch(), p.toString());
        assertEquals("local APIC", m.msiControllers().getFirst().kind());
        if (m.iommus().isEmpty()) {
          without.add(p.getFileName().toString());
        }
        m.oddities().stream()
            .filter(o -> o.mayHideFacts())
            .forEach(o -> hidden.add(p.getFileName() + " " + o.message()));
      }
    }
    assertEquals(352, read);
    assertEquals(List.of("D19FB82D46CF"), without, "its one unit has no register base");
    assertEquals(6, hidden.size(), hidden::toString);
    assertTrue(
        hidden.stream()
            .allMatch(h ->
                h.endsWith("remapping unit without a register base is passed over")
                    || h.contains("block of unknown type 51h")),
        hidden::toString);
  }

  private static String behind(MachineDescription m, String sbdf) {
    Sbdf s = Sbdf.parse(sbdf);
    HostBridge bridge = m.hostBridge(s).orElseThrow();
    return bridge.streams().stream()
        .filter(x -> x.streamOf(s.requesterId()).isPresent())
        .map(HostBridge.StreamMapping::iommu)
        .findFirst()
        .orElse("none");
  }

  @Test
  @DisplayName(
      "VT-d 8.3: a named device is behind its unit, the rest of the segment behind the one with INCLUDE_PCI_ALL")
  void catchAll() {
    MachineDescription m = machine("dell-latitude-e6430");
    assertEquals(2, m.iommus().size());
    String graphics = behind(m, "0000:00:02.0");
    String rest = behind(m, "0000:00:1f.2");
    assertTrue(!graphics.equals(rest), graphics);
    assertTrue(
        m.iommus().stream()
            .anyMatch(
                i -> i instanceof IommuDescription.VtD v && v.id().equals(rest) && v.includeAll()));
    assertTrue(
        m.reserved().stream()
            .anyMatch(r ->
                r.region().kind() == ReservedRegion.Kind.DIRECT_RELAXABLE
                    && r.functions().contains(Sbdf.parse("0000:00:02.0"))),
        "the display adapter's RMRR may be given up");
  }

  @Test
  @DisplayName("IVHD 10h, 11h and 40h of one unit count once")
  void oneUnit() {
    MachineDescription m = machine("amd-zenbook-s16");
    assertEquals(1, m.iommus().size());
    assertEquals("AMD-Vi", m.iommus().getFirst().kind());
    assertEquals(2, m.reserved().size(), "two IVMD blocks, each for one device");
  }

  @Test
  @DisplayName("requester ids of every vector are behind the unit whose tables were built for them")
  void requesters() {
    for (String name : List.of("x86-vtd-intremap", "x86-amdvi")) {
      MachineDescription m = lab(name);
      assertEquals(1, m.iommus().size());
      String id = m.iommus().getFirst().id();
      m.functions().stream()
          .filter(f -> !f.sbdf().toString().equals("0000:00:01.0") || !name.equals("x86-amdvi"))
          .forEach(f -> assertEquals(id, behind(m, f.sbdf().toString()), f.sbdf().toString()));
    }
    assertEquals("none", behind(lab("x86-amdvi"), "0000:00:01.0"), "not behind itself");
  }

  @Test
  @DisplayName("widths: CAP_REG.SAGAW and MGAW of VT-d, EFR.HATS of AMD-Vi; 224 vectors a CPU")
  void widths() {
    MachineDescription intel = lab("x86-vtd-intremap");
    assertEquals(OptionalInt.of(48), intel.iommus().getFirst().abilities().inputBits());
    assertEquals(OptionalInt.of(48), intel.iommus().getFirst().abilities().outputBits());
    assertEquals(OptionalInt.of(224), intel.msiControllers().getFirst().vectors());
    MachineDescription amd = lab("x86-amdvi");
    assertEquals(OptionalInt.of(64), amd.iommus().getFirst().abilities().inputBits());
    assertEquals(OptionalInt.of(0xa0), amd.apic().orElseThrow().ioApics().getFirst().sourceId());
  }

  @Test
  @DisplayName(
      "interrupt remapping: as the kernel programmed it, else as its log says, else what firmware does not offer, else unseen")
  void remapping() {
    assertEquals(InterruptRemapping.State.ON, state(lab("x86-vtd-intremap")));
    assertEquals(InterruptRemapping.State.ON, state(lab("x86-amdvi")));
    assertEquals(InterruptRemapping.State.OFF, state(lab("x86-vtd-nointremap")));
    assertEquals(InterruptRemapping.State.ON, state(machine("msi-ms7721")), "its log says so");
    MachineDescription old = machine("hp-dc7800");
    assertEquals(InterruptRemapping.State.OFF, state(old));
    assertEquals(
        "sys/firmware/acpi/tables/DMAR+0x25",
        old.iommus().getFirst().interruptRemapping().orElseThrow().source().toString());
    MachineDescription unknown = machine("supermicro-2s-10drhd");
    assertEquals(InterruptRemapping.State.UNSEEN, state(unknown));
    assertTrue(unknown.unseen().stream().anyMatch(u -> u.what().contains("remaps interrupts")));
  }

  private static InterruptRemapping.State state(MachineDescription m) {
    return m.iommus().getFirst().interruptRemapping().orElseThrow().state();
  }
}
