package dev.doorbell.firmware;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.explain.Unseen;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("Freescale's bindings: trees that leave something out, or say something odd")
class FreescaleTreesTest {
  private static final long UNIT = 0x22;
  private static final long BANK = 0x31;

  @TempDir Path folder;

  private MachineDescription read(TreeBuilder tree) throws IOException {
    Path file = Files.createDirectories(folder.resolve("sys/firmware")).resolve("fdt");
    Files.write(file, tree.end().build());
    return Firmware.read(Sysroot.open(folder));
  }

  /// A bank, a PAMU, and a controller, as someone changes them.
  private static TreeBuilder odd(
      String banks, long[] bankReg, long[] ranges, boolean pamuReg, int pamus, long parent) {
    TreeBuilder t =
        TreeBuilder.machine()
            .begin("soc@ffe000000")
            .cells("#address-cells", 1)
            .cells("#size-cells", 1)
            .cells("ranges", 0, 0xf, 0xfe00_0000L, 0x100_0000);
    for (int i = 0; i < pamus; i++) {
      t.begin("iommu@" + (2 + i) + "0000").text("compatible", "fsl,pamu-v1.0", "fsl,pamu");
      if (pamuReg) {
        t.cells("reg", 0x20000 + 0x10000L * i, 0x3000);
      }
      t.cells("ranges", 0, 0x20000 + 0x10000L * i, 0x3000)
          .cells("#address-cells", 1)
          .cells("#size-cells", 1);
      for (int u : new int[] {1, 0, 4}) {
        t.begin("pamu@" + u + "000").cells("reg", u * 0x1000L, 0x1000);
        if (u == 0) {
          t.cells("phandle", UNIT + i);
        }
        t.end();
      }
      t.end();
    }
    t.begin("msi@41600").text("compatible", banks).cells("reg", bankReg);
    if (ranges.length > 0) {
      t.cells("msi-available-ranges", ranges);
    }
    t.cells("phandle", BANK).end().end();
    t.begin("pcie@ffe200000")
        .text("device_type", "pci")
        .text("compatible", "fsl,qoriq-pcie-v2.2")
        .cells("#address-cells", 3)
        .cells("#size-cells", 2)
        .cells("fsl,liodn", 5);
    if (parent != 0) {
      t.cells("fsl,iommu-parent", parent);
    }
    return t.end();
  }

  private static final long[] ALIASED = {0x41600, 0x200, 0x44140, 4};

  private static List<String> odd(MachineDescription m) {
    return m.oddities().stream().map(o -> o.message()).toList();
  }

  private static List<String> unseen(MachineDescription m) {
    return m.unseen().stream().map(Unseen::what).toList();
  }

  @Test
  @DisplayName(
      "fsl,pamu without reg, as its binding allows: the units tell, as far as they follow one another")
  void unitsAlone() throws IOException {
    MachineDescription m = read(odd("fsl,mpic-msi", ALIASED, new long[0], false, 1, UNIT));
    assertEquals(
        AddressRange.ofSize(0xf_fe02_0000L, 0x2000),
        m.iommus().getFirst().registers().orElseThrow());
    assertEquals(
        OptionalInt.of(5), m.hostBridges().getFirst().streams().getFirst().streamOf(0x100));
    assertEquals(List.of(), odd(m));
  }

  @Test
  @DisplayName(
      "fsl,iommu-parent that leads elsewhere is an oddity; none beside two PAMUs is a guess, and told as one")
  void parents() throws IOException {
    MachineDescription m = read(odd("fsl,mpic-msi", ALIASED, new long[0], true, 1, BANK));
    assertTrue(odd(m).getFirst().contains("leads to no PAMU"));
    assertEquals(
        OptionalInt.of(5), m.hostBridges().getFirst().streams().getFirst().streamOf(0x100));
    m = read(odd("fsl,mpic-msi", ALIASED, new long[0], true, 2, UNIT + 1));
    assertEquals("pamu@0xffe030000", m.hostBridges().getFirst().streams().getFirst().iommu());
    assertTrue(unseen(m).stream().noneMatch(u -> u.startsWith("which PAMU")));
    m = read(odd("fsl,mpic-msi", ALIASED, new long[0], true, 2, 0));
    assertTrue(unseen(m).contains("which PAMU /pcie@ffe200000 is behind"));
  }

  @Test
  @DisplayName("msi-available-ranges are all counted; a bank with MSIIR1 has none")
  void availableRanges() throws IOException {
    MachineDescription m =
        read(
            odd("fsl,mpic-msi", ALIASED, new long[] {0, 0x20, 0x40, 0x20, 0x50, 0x20}, true, 1, 0));
    assertTrue(
        m.unseen().stream().anyMatch(u -> u.why().endsWith("leaves 0x50 of 0x100")),
        m.unseen().toString());
    m = read(odd("fsl,mpic-msi", ALIASED, new long[] {0x80, 0x80, 0, 0x80}, true, 1, 0));
    assertTrue(unseen(m).stream().noneMatch(u -> u.startsWith("who has the other")));
    m = read(odd("fsl,mpic-msi", ALIASED, new long[] {0xffff_ffffL, 0xffff_ffffL}, true, 1, 0));
    assertTrue(m.unseen().stream().anyMatch(u -> u.why().endsWith("leaves 0x0 of 0x100")));
    m = read(odd("fsl,mpic-msi-v4.3", ALIASED, new long[] {0, 0x20}, true, 1, 0));
    assertTrue(odd(m).getFirst().contains("msi-available-ranges"));
  }

  @Test
  @DisplayName(
      "MSIIR1 without a place of its own is an oddity; a bank without an alias is its own frame")
  void noAlias() throws IOException {
    long[] alone = {0x41600, 0x200};
    MachineDescription m = read(odd("fsl,mpic-msi-v4.3", alone, new long[0], true, 1, 0));
    assertTrue(odd(m).getFirst().contains("names no place of MSIIR1"));
    assertEquals(0xf_fe04_1748L, m.msiControllers().getFirst().doorbell().orElseThrow());
    m = read(odd("fsl,mpic-msi", alone, new long[0], true, 1, 0));
    assertEquals(List.of(), odd(m));
    assertEquals(
        AddressRange.ofSize(0xf_fe04_1600L, 0x200),
        m.msiControllers().getFirst().frame().orElseThrow());
  }
}
