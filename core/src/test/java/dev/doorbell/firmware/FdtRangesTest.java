package dev.doorbell.firmware;

import static dev.doorbell.firmware.Nodes.ITS;
import static dev.doorbell.firmware.Nodes.ITS2;
import static dev.doorbell.firmware.Nodes.gic;
import static dev.doorbell.firmware.Nodes.host;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.HostBridge;
import dev.doorbell.description.MachineDescription;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("Devicetree 0.4, 2.3.8 and 2.3.9: ranges and dma-ranges through nested buses")
class FdtRangesTest {
  private static final int MEM = 0x200_0000;

  @TempDir Path folder;

  private MachineDescription read(TreeBuilder tree) throws IOException {
    Path file = Files.createDirectories(folder.resolve("sys/firmware")).resolve("fdt");
    Files.write(file, tree.end().build());
    return Firmware.read(Sysroot.open(folder));
  }

  private static HostBridge only(MachineDescription m) {
    assertEquals(1, m.hostBridges().size(), m.oddities()::toString);
    return m.hostBridges().getFirst();
  }

  private static List<String> odd(MachineDescription m) {
    return m.oddities().stream().map(o -> o.message()).toList();
  }

  /// {@return a bus of 32-bit addresses whose registers are at 4 GiB and which is still open}
  private static TreeBuilder bus(TreeBuilder t, String name) {
    return t.begin(name)
        .cells("#address-cells", 1)
        .cells("#size-cells", 1)
        .cells("ranges", 0, 1, 0, 0x8000_0000L);
  }

  private static TreeBuilder pci(TreeBuilder t) {
    return t.begin("pcie@1000")
        .text("device_type", "pci")
        .cells("#address-cells", 3)
        .cells("#size-cells", 2);
  }

  @Test
  @DisplayName("a bridge's dma-ranges go on through the dma-ranges of its bus, and not its ranges")
  void throughTheBus() throws IOException {
    MachineDescription m =
        read(
            pci(bus(TreeBuilder.machine(), "soc")
                    .cells("dma-ranges", 0x4000_0000, 2, 0, 0x2000_0000))
                .cells("dma-ranges", MEM, 0, 0x4000_0000, 0x4000_0000, 0, 0x1000_0000)
                .end()
                .end());
    assertEquals(List.of(AddressRange.ofSize(0x2_0000_0000L, 0x1000_0000)), only(m).dmaRanges());
    assertEquals(List.of(), odd(m));
    assertTrue(m.unseen().stream().anyMatch(u -> u.why().contains("shift")));
  }

  @Test
  @DisplayName("a bus without dma-ranges above a bridge that has some changes no address")
  void noneAbove() throws IOException {
    MachineDescription m =
        read(
            pci(bus(TreeBuilder.machine(), "soc"))
                .cells("dma-ranges", MEM, 0, 0x4000_0000, 0x4000_0000, 0, 0x1000_0000)
                .end()
                .end());
    assertEquals(List.of(AddressRange.ofSize(0x4000_0000L, 0x1000_0000)), only(m).dmaRanges());
  }

  @Test
  @DisplayName(
      "several dma-ranges, each with its own shift; one outside those of the bus is an oddity with its place")
  void several() throws IOException {
    MachineDescription m =
        read(
            pci(bus(TreeBuilder.machine(), "soc")
                    .cells("dma-ranges", 0, 0, 0, 0x1000_0000, 0x4000_0000, 8, 0, 0x1000_0000))
                .cells(
                    "dma-ranges",
                    MEM,
                    0,
                    0,
                    0,
                    0,
                    0x100_0000,
                    MEM,
                    0,
                    0x2000_0000,
                    0x4000_0000,
                    0,
                    0x200_0000,
                    MEM,
                    0,
                    0x3000_0000,
                    0x7000_0000,
                    0,
                    0x300_0000)
                .end()
                .end());
    assertEquals(
        List.of(
            AddressRange.ofSize(0, 0x100_0000), AddressRange.ofSize(0x8_0000_0000L, 0x200_0000)),
        only(m).dmaRanges());
    assertEquals(
        List.of(
            "dma-ranges of /soc/pcie@1000 has a window that lies in none of the buses above; it is passed over"),
        odd(m));
    long first = m.oddities().getFirst().source().offset();
    assertTrue(first > 2 * 6 * FdtNode.CELL, "the third entry's place");
  }

  @Test
  @DisplayName(
      "a bridge without dma-ranges, or with empty ones, has those of the bus that it is on")
  void ofTheBus() throws IOException {
    for (boolean empty : new boolean[] {false, true}) {
      TreeBuilder t =
          pci(
              bus(TreeBuilder.machine(), "soc")
                  .cells("dma-ranges", 0x8000_0000L, 0, 0x8000_0000L, 0x4000_0000));
      HostBridge b = only(read((empty ? t.flag("dma-ranges") : t).end().end()));
      assertEquals(List.of(AddressRange.ofSize(0x8000_0000L, 0x4000_0000)), b.dmaRanges());
    }
  }

  @Test
  @DisplayName("an empty dma-ranges passes on to the next bus; a bus that has none ends the search")
  void upwards() throws IOException {
    TreeBuilder passed =
        bus(TreeBuilder.machine(), "outer").cells("dma-ranges", 0, 4, 0, 0x4000_0000);
    passed
        .begin("inner")
        .cells("#address-cells", 1)
        .cells("#size-cells", 1)
        .flag("ranges")
        .flag("dma-ranges");
    assertEquals(
        List.of(AddressRange.ofSize(0x4_0000_0000L, 0x4000_0000)),
        only(read(pci(passed).end().end().end())).dmaRanges());
    TreeBuilder ended =
        bus(TreeBuilder.machine(), "outer").cells("dma-ranges", 0, 4, 0, 0x4000_0000);
    ended.begin("inner").cells("#address-cells", 1).cells("#size-cells", 1).flag("ranges");
    assertEquals(List.of(), only(read(pci(ended).end().end().end())).dmaRanges());
  }

  @Test
  @DisplayName("ids that msi-map leaves out are the msi-parent's, as themselves")
  void parentBesideMap() throws IOException {
    TreeBuilder t =
        gic(TreeBuilder.machine())
            .begin("its@9080000")
            .text("compatible", "arm,gic-v3-its")
            .flag("msi-controller")
            .cells("#msi-cells", 1)
            .cells("phandle", ITS2)
            .cells("reg", 0, 0x9080000, 0, 0x20000)
            .end();
    HostBridge b =
        only(
            read(
                host(t)
                    .cells("msi-map", 0x100, ITS, 0x8000, 0x10)
                    .cells("msi-parent", ITS2)
                    .end()));
    assertEquals(List.of("its@0x8080000"), b.msiMapping(0x10f).orElseThrow().controllers());
    assertEquals(OptionalInt.of(0x800f), b.msiMapping(0x10f).orElseThrow().deviceIdOf(0x10f));
    assertEquals(List.of("its@0x9080000"), b.msiMapping(0x110).orElseThrow().controllers());
    assertEquals(OptionalInt.of(0x110), b.msiMapping(0x110).orElseThrow().deviceIdOf(0x110));
  }
}
