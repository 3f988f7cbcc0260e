package dev.doorbell.firmware;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.description.FunctionDescription;
import dev.doorbell.description.HostBridge;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.testkit.OutsideTool;
import dev.doorbell.testkit.ProjectRoot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName(
    "samples/two-its is what its source says, and is read as two ITSes in one SMMU's reach")
class TwoItsSampleTest {
  private static final Path SAMPLE = ProjectRoot.path().resolve("samples/two-its");

  @BeforeAll
  static void rewriteWhenAsked() throws IOException {
    if (!System.getProperty("doorbell.golden", "").equals("write")) {
      return;
    }
    for (Map.Entry<String, byte[]> file : TwoItsSample.files().entrySet()) {
      Path path = SAMPLE.resolve(file.getKey());
      Files.createDirectories(path.getParent());
      Files.write(path, file.getValue());
    }
    for (Map.Entry<String, String> link : TwoItsSample.links().entrySet()) {
      Path path = SAMPLE.resolve(link.getKey());
      Files.createDirectories(path.getParent());
      Files.deleteIfExists(path);
      Files.createSymbolicLink(path, Path.of(link.getValue()));
    }
  }

  @Test
  @DisplayName("the checked-in files are current, and there are no others")
  void isCurrent() throws IOException {
    TreeSet<String> found = new TreeSet<>();
    try (Stream<Path> all = Files.walk(SAMPLE)) {
      all.filter(p -> !Files.isDirectory(p, LinkOption.NOFOLLOW_LINKS))
          .forEach(p -> found.add(SAMPLE.relativize(p).toString()));
    }
    TreeSet<String> expected = new TreeSet<>(TwoItsSample.files().keySet());
    expected.addAll(TwoItsSample.links().keySet());
    assertEquals(expected, found);
    for (Map.Entry<String, byte[]> file : TwoItsSample.files().entrySet()) {
      assertArrayEquals(
          file.getValue(), Files.readAllBytes(SAMPLE.resolve(file.getKey())), file.getKey());
    }
    Sysroot root = Sysroot.open(SAMPLE);
    for (Map.Entry<String, String> link : TwoItsSample.links().entrySet()) {
      assertEquals(Optional.of(link.getValue()), root.linkText(link.getKey()));
    }
  }

  @Test
  @DisplayName("one SMMU, two ITSes, a segment for each")
  void description() {
    MachineDescription m = Firmware.read(Sysroot.open(SAMPLE));
    assertEquals(List.of(), m.oddities());
    assertEquals(List.of("smmuv3@0x2b400000"), m.iommus().stream().map(i -> i.id()).toList());
    HostBridge first = m.hostBridge(Sbdf.parse("0000:01:00.0")).orElseThrow();
    HostBridge second = m.hostBridge(Sbdf.parse("0001:01:00.0")).orElseThrow();
    assertEquals(List.of("its@0x30040000"), first.msis().getFirst().controllers());
    assertEquals(List.of("its@0x30060000"), second.msis().getFirst().controllers());
    assertEquals(OptionalInt.of(0x100), first.streams().getFirst().streamOf(0x100));
    assertEquals(OptionalInt.of(0x4100), second.streams().getFirst().streamOf(0x100));
    assertEquals(OptionalInt.of(0x100), second.msis().getFirst().deviceIdOf(0x100));
    assertEquals(OptionalInt.of(48), first.dmaBits());
    assertEquals(2, m.gic().orElseThrow().cpus().size());
    assertEquals(6, m.functions().size());
    for (FunctionDescription f : m.functions()) {
      for (FunctionDescription.Bar bar : f.resources()) {
        HostBridge b = m.hostBridge(f.sbdf()).orElseThrow();
        assertEquals(true, b.windows().getFirst().cpu().contains(bar.range()), f.sbdf().toString());
      }
    }
  }

  @Test
  @DisplayName("iasl takes the tables apart without an error")
  void iaslReadsTheTables(@TempDir Path folder) throws IOException, InterruptedException {
    OutsideTool iasl = OutsideTool.require("iasl");
    for (String table : List.of("APIC", "IORT", "MCFG")) {
      Path copy = folder.resolve(table + ".dat");
      Files.copy(SAMPLE.resolve("sys/firmware/acpi/tables/" + table), copy);
      OutsideTool.Result result = iasl.run(folder, "-d", copy.toString());
      assertEquals(0, result.status(), result.err());
      String text = Files.readString(folder.resolve(table + ".dsl"));
      assertEquals(
          false,
          text.contains("Error") || text.contains("Invalid") || text.contains("Unknown"),
          text);
    }
  }
}
