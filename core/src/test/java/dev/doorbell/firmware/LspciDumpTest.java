package dev.doorbell.firmware;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.description.MachineDescription;
import dev.doorbell.explain.Oddity;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.testkit.Property;
import dev.doorbell.testkit.SeededRandom;
import dev.doorbell.testkit.Shared;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("pciutils: lspci -xxxx dumps, beside a root and as the root itself")
class LspciDumpTest {
  private static MachineDescription read(String name) {
    return Firmware.read(Sysroot.open(Shared.require("captures/" + name)));
  }

  @Test
  @DisplayName(
      "huananzhi-x99-bd4: a message in the middle of row f10 ends the function's bytes there, and only these")
  void messageInARow() {
    MachineDescription m = read("x86/huananzhi-x99-bd4/lspci-xxxx.txt");
    assertEquals(0xf10, m.function(Sbdf.parse("0000:05:00.1")).orElseThrow().config().size());
    assertEquals(4096, m.function(Sbdf.parse("0000:05:00.0")).orElseThrow().config().size());
    assertTrue(
        m.oddities().stream().anyMatch(o -> o.message().contains("row f10 of 0000:05:00.1")),
        m.oddities().toString());
  }

  @Test
  @DisplayName("acer-laptop: header lines of 256 characters and more are function lines")
  void longHeader() {
    MachineDescription m = read("x86/acer-laptop/lspci-xxxx.txt");
    assertEquals(25, m.functions().size());
    assertTrue(m.oddities().isEmpty(), m.oddities().toString());
  }

  @Test
  @DisplayName("arm-n1sdp: the dump and the folder tell the same")
  void sameAsFolder() {
    MachineDescription folder = read("arm64/arm-n1sdp");
    MachineDescription dump = read("arm64/arm-n1sdp/lspci-xxxx.txt");
    assertEquals(16, dump.functions().size());
    for (int i = 0; i < 16; i++) {
      assertEquals(folder.functions().get(i).sbdf(), dump.functions().get(i).sbdf());
      assertEquals(folder.functions().get(i).config(), dump.functions().get(i).config());
    }
  }

  @Test
  @DisplayName("pciutils-pcix-domains: domains of four digits; hwloc-pcidomain32: of five")
  void domains() {
    assertEquals(31, read("x86/pciutils-pcix-domains/lspci-xxxx.txt").functions().size());
    MachineDescription wide = read("x86/hwloc-pcidomain32");
    assertTrue(
        wide.functions().stream().anyMatch(f -> f.sbdf().segment() == 0x10000), "domain 10000");
    assertTrue(wide.hostBridge(Sbdf.parse("10000:00:02.0")).isPresent());
  }

  @Test
  @DisplayName("a file that is no dump, table or tree: everything is odd or unseen")
  void notADump() {
    Path other = Shared.require("captures/ODDITIES.md");
    MachineDescription m = Firmware.read(Sysroot.open(other));
    assertTrue(m.functions().isEmpty());
    assertTrue(!m.oddities().isEmpty());
  }

  /// A blank at the end of each line, which lspci does not write, leads every row the long way.
  private static String theLongWay(String text) {
    return text.replace("\n", " \n");
  }

  /// With bytes behind it that are not seen.
  private static Blob blob(String text) {
    byte[] all = (text + " 00 00:00").getBytes(StandardCharsets.ISO_8859_1);
    return Blob.of("dump", all).truncated(text.length());
  }

  private static String dump(SeededRandom random) {
    StringBuilder out = new StringBuilder();
    for (int f = 0; f < 3; f++) {
      out.append("%02x:00.%d Device\n".formatted(f, f));
      int rows = random.pick(new Integer[] {4, 16, 17, 256});
      for (int row = 0; row < rows; row++) {
        out.append("%02x:".formatted(row * 16));
        for (byte b : random.bytes(16)) {
          out.append(" %02x".formatted(b));
        }
        out.append('\n');
      }
      out.append('\n');
    }
    for (int i = random.below(6); i > 0; i--) {
      out.setCharAt(
          random.below(out.length()),
          random.pick(new Character[] {'0', 'g', 'F', ' ', '\n', ':', '٣', 'ÿ'}));
    }
    return out.toString();
  }

  @Test
  @DisplayName(
      "rows as lspci writes them, whole or damaged, read the same as by the rule for any row")
  void rowsReadTheSameEitherWay() {
    Property.check(
        "rows of a dump",
        300,
        random -> {
          String text = dump(random);
          Findings fast = new Findings();
          Findings slow = new Findings();
          var one = LspciDump.read(blob(text), fast);
          var other = LspciDump.read(blob(theLongWay(text)), slow);
          assertEquals(List.copyOf(other.keySet()), List.copyOf(one.keySet()), text);
          one.forEach((sbdf, f) -> assertEquals(other.get(sbdf).config(), f.config(), sbdf + text));
          assertEquals(
              slow.oddities().stream().map(Oddity::message).toList(),
              fast.oddities().stream().map(Oddity::message).toList());
        });
  }
}
