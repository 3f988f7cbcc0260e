package dev.doorbell.firmware;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.GicDescription;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("Devicetree 0.4, 2.3 and 5: tokens, cells, phandles, status, memory and addresses")
class FdtTreeTest {
  @TempDir Path folder;

  private MachineDescription read(byte[] tree) throws IOException {
    Path file = Files.createDirectories(folder.resolve("sys/firmware")).resolve("fdt");
    Files.write(file, tree);
    return Firmware.read(Sysroot.open(folder));
  }

  private MachineDescription read(TreeBuilder tree) throws IOException {
    return read(tree.end().build());
  }

  private static List<String> odd(MachineDescription m) {
    return m.oddities().stream().map(o -> o.message()).toList();
  }

  private static TreeBuilder memory(TreeBuilder t, String name, long start) {
    return t.begin(name).cells("reg", 0, start, 0, 0x1000);
  }

  private static List<Long> ram(MachineDescription m) {
    return m.memory().stream().map(r -> r.range().start()).toList();
  }

  @Test
  @DisplayName("5.4: NOP tokens between nodes and properties are nothing")
  void nop() throws IOException {
    MachineDescription m =
        read(memory(TreeBuilder.machine().token(4), "memory@0", 0x1000).token(4).end().token(4));
    assertEquals(List.of(0x1000L), ram(m));
    assertEquals(List.of(), odd(m));
  }

  @Test
  @DisplayName("5.4: a second root, and an end inside a node, are told; what came before stays")
  void structure() throws IOException {
    TreeBuilder two = memory(TreeBuilder.machine(), "memory@0", 0x1000).end().end();
    MachineDescription second =
        read(memory(two.begin("").cells("#size-cells", 2), "memory@1", 0x2000).end());
    assertEquals(List.of("a second root node begins"), odd(second));
    assertEquals(List.of(0x1000L), ram(second));
    MachineDescription inside =
        read(memory(TreeBuilder.machine(), "memory@0", 0x1000).end().begin("soc").token(9).end());
    assertEquals(List.of("the tree ends inside /soc"), odd(inside));
    assertEquals(List.of(0x1000L), ram(inside));
  }

  @Test
  @DisplayName(
      "5.2: a version above 17 that 17 cannot read is refused; a longer total size than the file is told")
  void header() throws IOException {
    byte[] tree = memory(TreeBuilder.machine(), "memory@0", 0x1000).end().end().build();
    byte[] later = tree.clone();
    ByteBuffer.wrap(later).putInt(20, 18).putInt(24, 18);
    MachineDescription refused = read(later);
    assertEquals(
        List.of("tree of version 18 (compatible back to 18); 16 and 17 are read"), odd(refused));
    assertEquals(List.of(), ram(refused));
    byte[] compatible = tree.clone();
    ByteBuffer.wrap(compatible).putInt(20, 18).putInt(24, 17);
    assertEquals(List.of(0x1000L), ram(read(compatible)));
    byte[] longer = tree.clone();
    ByteBuffer.wrap(longer).putInt(4, tree.length + 1);
    MachineDescription told = read(longer);
    assertEquals(List.of(0x1000L), ram(told));
    assertTrue(
        odd(told).getFirst().contains("the bytes that are there are read"), odd(told)::toString);
    byte[] older = tree.clone();
    ByteBuffer.wrap(older).putInt(20, 3).putInt(24, 1);
    assertEquals(1, odd(read(older)).size());
  }

  @Test
  @DisplayName(
      "2.3.5: without #address-cells and #size-cells there are two and one; more than four are refused")
  void cells() throws IOException {
    TreeBuilder t =
        new TreeBuilder()
            .begin("")
            .begin("memory@0")
            .cells("reg", 1, 0x8000_0000L, 0x4000_0000)
            .end();
    MachineDescription m = read(t);
    assertEquals(
        List.of(AddressRange.ofSize(0x1_8000_0000L, 0x4000_0000)),
        m.memory().stream().map(MachineDescription.Memory::range).toList());
    MachineDescription many =
        read(
            new TreeBuilder()
                .begin("")
                .cells("#address-cells", 5)
                .begin("memory@0")
                .cells("reg", 0, 0, 0, 0, 0x1000, 0x1000)
                .end());
    assertTrue(
        odd(many).contains("#address-cells of / is 5; 0 to 4 are possible"), odd(many)::toString);
    assertEquals(List.of(), ram(many));
  }

  @Test
  @DisplayName(
      "3.4 memory: named so or of that device_type, right below the root, enabled; of two regs the first counts")
  void memoryNodes() throws IOException {
    TreeBuilder t =
        memory(TreeBuilder.machine(), "memory@1000", 0x1000)
            .cells("reg", 0, 0x7000, 0, 0x1000)
            .end();
    memory(t, "memory@2000", 0x2000).text("status", "disabled").end();
    memory(t, "ram@3000", 0x3000).text("device_type", "memory").end();
    memory(t, "sram@4000", 0x4000).end();
    t.begin("soc").cells("#address-cells", 2).cells("#size-cells", 2).flag("ranges");
    memory(t, "memory@5000", 0x5000).end().end();
    memory(t, "memory", 0x6000).end();
    assertEquals(List.of(0x1000L, 0x3000L, 0x6000L), ram(read(t)));
  }

  @Test
  @DisplayName(
      "2.3.3: linux,phandle counts where there is no phandle; of two nodes with one phandle the first")
  void phandles() throws IOException {
    TreeBuilder t = TreeBuilder.machine();
    for (int i = 1; i <= 2; i++) {
      t.begin("its@" + i)
          .text("compatible", "arm,gic-v3-its")
          .cells("linux,phandle", 9)
          .cells("reg", 0, i * 0x10_0000L, 0, 0x2_0000)
          .end();
    }
    MachineDescription m =
        read(t.begin("pcie").text("device_type", "pci").cells("msi-parent", 9).end());
    assertEquals(
        List.of("its@0x100000"), m.hostBridges().getFirst().msis().getFirst().controllers());
    assertEquals(List.of("/its@2 has phandle 0x9, which another node has"), odd(m));
  }

  private static TreeBuilder its(TreeBuilder t, long at, long bytes) {
    return t.begin("its@" + Long.toHexString(at))
        .text("compatible", "arm,gic-v3-its")
        .cells("reg", at, bytes)
        .end();
  }

  @Test
  @DisplayName(
      "2.3.8: ranges translate what lies in them, first byte to last; without the property nothing passes")
  void ranges() throws IOException {
    TreeBuilder t =
        TreeBuilder.machine().begin("soc").cells("#address-cells", 1).cells("#size-cells", 1);
    t.cells("ranges", 0x1000, 4, 0, 0x1000, 0x8000, 5, 0x1000, 0x1000);
    for (long at : new long[] {0x0fff, 0x1000, 0x1fff, 0x2000, 0x8000, 0x8fff, 0x9000}) {
      its(t, at, 0x2_0000);
    }
    t.end().begin("closed").cells("#address-cells", 1).cells("#size-cells", 1);
    MachineDescription m = read(its(t, 0x7000, 0x2_0000).end());
    assertEquals(
        List.of("its@0x400000000", "its@0x400000fff", "its@0x500001000", "its@0x500001fff"),
        m.msiControllers().stream().map(c -> c.id()).toList());
    assertEquals(
        List.of("/soc/its@fff", "/soc/its@2000", "/soc/its@9000", "/closed/its@7000"),
        odd(m).stream().map(o -> o.substring(0, o.indexOf(' '))).toList());
  }

  @Test
  @DisplayName(
      "2.3.6: a register of no bytes is none; a configuration window in a bridge's ranges is no BAR window")
  void empty() throws IOException {
    TreeBuilder t =
        TreeBuilder.machine()
            .begin("gic")
            .text("compatible", "arm,gic-v3")
            .cells(
                "reg", 0, 0x1000, 0, 0, 0, 0x2_0000, 0, 0x1_0000, 0, 0x10_0000, 0, 0x4_0000, 0,
                0x20_0000, 0, 0x4_0000, 0, 0x30_0000, 0, 0x1000)
            .cells("#redistributor-regions", 2)
            .end()
            .begin("pcie")
            .text("device_type", "pci")
            .cells("#address-cells", 3)
            .cells("#size-cells", 2)
            .cells(
                "ranges",
                0,
                0,
                0,
                0,
                0x5000_0000,
                0,
                0x1000,
                0x2000000,
                0,
                0x6000_0000,
                0,
                0x6000_0000,
                0,
                0x1000)
            .end();
    MachineDescription m = read(t);
    GicDescription gic = m.gic().orElseThrow();
    assertEquals(0x2_0000, gic.distributor().start());
    assertEquals(
        List.of(0x10_0000L, 0x20_0000L),
        gic.redistributors().stream().map(AddressRange::start).toList());
    assertEquals(
        List.of(0x6000_0000L),
        m.hostBridges().getFirst().windows().stream().map(w -> w.cpu().start()).toList());
    assertEquals(List.of(), odd(m));
  }

  @Test
  @DisplayName(
      "3.8 cpus: the reg of one or two cells is the affinity; a CPU of status fail is none")
  void cpus() throws IOException {
    TreeBuilder t =
        TreeBuilder.machine()
            .begin("gic")
            .text("compatible", "arm,gic-v3")
            .cells("reg", 0, 0x2_0000, 0, 0x1_0000)
            .end()
            .begin("cpus");
    t.begin("cpu@0").cells("reg", 0x100).end();
    t.begin("cpu@1").cells("reg", 1, 0x200).text("status", "disabled").end();
    t.begin("cpu@2").cells("reg", 2).text("status", "fail").end();
    t.begin("core")
        .text("device_type", "cpu")
        .cells("reg", 3)
        .end()
        .begin("cpu-map")
        .cells("reg", 4)
        .end()
        .end();
    assertEquals(
        List.of(0x100L, 0x1_0000_0200L, 3L),
        read(t).gic().orElseThrow().cpus().stream().map(GicDescription.Cpu::mpidr).toList());
  }

  @Test
  @DisplayName("arm,smmu.yaml: coherency, stream-match-mask; nvidia,smmu-500 is no single MMU-500")
  void smmus() throws IOException {
    TreeBuilder t = TreeBuilder.machine();
    t.begin("iommu@1000")
        .text("compatible", "arm,smmu-v3")
        .cells("reg", 0, 0x1000, 0, 0x2_0000)
        .end();
    t.begin("iommu@2000").text("compatible", "arm,mmu-500").flag("dma-coherent");
    t.cells("stream-match-mask", 0x1_7c00).cells("reg", 0, 0x2000, 0, 0x2_0000).end();
    t.begin("iommu@3000")
        .text("compatible", "nvidia,tegra194-smmu", "nvidia,smmu-500", "arm,mmu-500");
    List<IommuDescription> all = read(t.cells("reg", 0, 0x3000, 0, 0x2_0000).end()).iommus();
    assertEquals(false, ((IommuDescription.Smmuv3) all.get(0)).coherent());
    IommuDescription.Smmuv2 v2 = (IommuDescription.Smmuv2) all.get(1);
    assertEquals(List.of(true, 0x7c00), List.of(v2.coherent(), v2.streamMask()));
    assertTrue(all.get(2) instanceof IommuDescription.Other, all.get(2)::toString);
  }

  @Test
  @DisplayName("Linux's folders of a tree are read as the tree itself")
  void folders() throws IOException {
    Path base = folder.resolve("sys/firmware/devicetree/base");
    Path memory = Files.createDirectories(base.resolve("memory@80000000"));
    Files.write(base.resolve("#address-cells"), new byte[] {0, 0, 0, 2});
    Files.write(base.resolve("#size-cells"), new byte[] {0, 0, 0, 1});
    Files.write(memory.resolve("reg"), new byte[] {0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0});
    MachineDescription m = Firmware.read(Sysroot.open(folder));
    assertEquals(List.of(0x1_0000_0000L), ram(m));
  }
}
