package dev.doorbell.firmware;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.description.MachineDescription;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.testkit.Shared;
import java.nio.file.Path;
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
}
