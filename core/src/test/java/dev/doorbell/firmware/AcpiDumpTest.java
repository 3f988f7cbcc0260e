package dev.doorbell.firmware;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.explain.Oddity;
import dev.doorbell.testkit.Shared;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Tables as `acpidump` prints them.
class AcpiDumpTest {
  private static final String TWO_TABLES =
      """
      ABCD @ 0x0000000000000000
          0000: 41 42 43 44 14 00 00 00 01 00 00 00 00 00 00 00  ABCD............
          0010: 01 02 03 04                                      ....

      EFGH @ 0x00000000BEEF0000
          0000: 45 46 47 48                                      EFGH
      """;

  @Test
  @DisplayName("each table has its bytes, and is named by file and signature")
  void tables() {
    Findings findings = new Findings();
    List<Blob> tables = read(TWO_TABLES, findings);

    assertEquals(List.of("dump:ABCD", "dump:EFGH"), tables.stream().map(Blob::file).toList());
    assertEquals("4142434414000000010000000000000001020304", hex(tables.getFirst()));
    assertEquals("45464748", hex(tables.getLast()));
    assertEquals(List.of(), findings.oddities());
  }

  @Test
  @DisplayName("a table ends at the first row that does not follow, and the next one is read")
  void gap() {
    Findings findings = new Findings();
    List<Blob> tables = read(TWO_TABLES.replace("0010:", "0020:"), findings);

    assertEquals(List.of(16, 4), tables.stream().map(Blob::size).toList());
    assertEquals(1, findings.oddities().size());
    Oddity o = findings.oddities().getFirst();
    assertTrue(o.message().contains("0x20") && o.message().contains("ABCD"), o.message());
    assertEquals("dump+0x%x".formatted(TWO_TABLES.indexOf("    0010:")), o.source().toString());
  }

  @Test
  @DisplayName("tables beyond the 256 that are read are an oddity with their place")
  void tooMany() {
    Findings findings = new Findings();
    String table = "ABCD @ 0x0000000000000000\n    0000: 41 42 43 44\n";

    assertEquals(256, read(table.repeat(258), findings).size());
    assertEquals(1, findings.oddities().size());
    Oddity o = findings.oddities().getFirst();
    assertTrue(o.message().contains("256"), o.message());
    assertEquals("dump+0x%x".formatted(256 * table.length()), o.source().toString());
  }

  @Test
  @DisplayName("text between the tables is an oddity with its place")
  void stray() {
    Findings findings = new Findings();

    assertEquals(2, read("hello\n" + TWO_TABLES, findings).size());
    assertEquals(1, findings.oddities().size());
    assertTrue(findings.oddities().getFirst().message().contains("hello"));
  }

  @Test
  @DisplayName("damaged anywhere it is read without an exception, and never longer than it is")
  void damaged() {
    byte[] whole = TWO_TABLES.getBytes(StandardCharsets.US_ASCII);
    for (int i = 0; i < whole.length; i++) {
      for (int bit = 0; bit < 8; bit++) {
        byte[] flipped = whole.clone();
        flipped[i] ^= (byte) (1 << bit);
        List<Blob> tables = AcpiDump.read(Blob.of("dump", flipped), new Findings());
        assertTrue(
            tables.stream().mapToInt(Blob::size).sum() <= 24,
            () -> "flipped " + new String(flipped, StandardCharsets.US_ASCII));
      }
      AcpiDump.read(Blob.of("dump", Arrays.copyOf(whole, i)), new Findings());
    }
  }

  @Test
  @DisplayName("real machines' dumps hold the very tables that lie beside them")
  void realMachines() throws IOException {
    Path captures = Shared.require("captures");
    int compared = 0;
    try (Stream<Path> all = Files.walk(captures, 3)) {
      for (Path dump : all.filter(p -> p.endsWith(AcpiDump.PATH)).sorted().toList()) {
        Blob text = Blob.of("dump", Files.readAllBytes(dump));
        assertTrue(AcpiDump.isOne(text), dump::toString);
        for (Blob table : AcpiDump.read(text, new Findings())) {
          String signature = table.file().substring("dump:".length());
          Path beside = dump.resolveSibling(AcpiTables.FOLDER).resolve(signature);
          if (Files.exists(beside)) {
            assertEquals(
                HexFormat.of().formatHex(Files.readAllBytes(beside)), hex(table), beside::toString);
            compared++;
          }
        }
      }
    }
    assertTrue(compared > 100, "compared " + compared);
  }

  @Test
  @DisplayName("a dump is as good as the tables: by itself, and beside a capture without them")
  void instead(@TempDir Path folder) throws IOException {
    Path machine = Shared.require("captures/arm64/ampere-altra-ava1");
    MachineDescription real = Firmware.read(Sysroot.open(machine));
    Files.copy(machine.resolve(AcpiDump.PATH), folder.resolve(AcpiDump.PATH));

    MachineDescription bare = Firmware.read(Sysroot.open(folder.resolve(AcpiDump.PATH)));
    MachineDescription beside = Firmware.read(Sysroot.open(folder));

    assertEquals(6, real.iommus().size());
    for (MachineDescription m : List.of(bare, beside)) {
      assertEquals(ids(real), ids(m));
      assertEquals(real.msiControllers().size(), m.msiControllers().size());
      assertEquals("acpidump.txt:IORT+0x210", m.iommus().getFirst().source().toString());
    }
  }

  private static List<String> ids(MachineDescription m) {
    return m.iommus().stream().map(IommuDescription::id).toList();
  }

  private static List<Blob> read(String text, Findings findings) {
    return AcpiDump.read(Blob.of("dump", text.getBytes(StandardCharsets.US_ASCII)), findings);
  }

  private static String hex(Blob b) {
    return HexFormat.of().formatHex(b.copy(0, b.size()));
  }
}
