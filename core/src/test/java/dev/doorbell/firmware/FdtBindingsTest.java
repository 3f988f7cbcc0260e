package dev.doorbell.firmware;

import static dev.doorbell.firmware.Nodes.GIC;
import static dev.doorbell.firmware.Nodes.HOST;
import static dev.doorbell.firmware.Nodes.ITS;
import static dev.doorbell.firmware.Nodes.ITS2;
import static dev.doorbell.firmware.Nodes.SMMU;
import static dev.doorbell.firmware.Nodes.V2M;
import static dev.doorbell.firmware.Nodes.gic;
import static dev.doorbell.firmware.Nodes.host;
import static dev.doorbell.firmware.Nodes.smmu;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.Arch;
import dev.doorbell.description.HostBridge;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.pci.Sbdf;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("Device-tree bindings: id maps, MSI parents, controllers, IOMMUs, reservations")
class FdtBindingsTest {
  @TempDir Path folder;

  private MachineDescription read(TreeBuilder tree) throws IOException {
    Path file = Files.createDirectories(folder.resolve("sys/firmware")).resolve("fdt");
    Files.write(file, tree.end().build());
    return Firmware.read(Sysroot.open(folder));
  }

  private static HostBridge only(MachineDescription m) {
    assertEquals(1, m.hostBridges().size());
    return m.hostBridges().getFirst();
  }

  private static OptionalInt stream(HostBridge b, int rid) {
    return b.streams().stream()
        .map(s -> s.streamOf(rid))
        .filter(OptionalInt::isPresent)
        .findFirst()
        .orElse(OptionalInt.empty());
  }

  @Test
  @DisplayName("pci-msi.txt, pci-iommu.txt: runs with their mask, the first matching entry counts")
  void mapsWithMasks() throws IOException {
    HostBridge b =
        only(
            read(
                host(smmu(gic(TreeBuilder.machine())))
                    .cells("iommu-map", 0, SMMU, 0x1000, 0x100, 0x100, SMMU, 0x3000, 0x100)
                    .cells("msi-map", 0, ITS, 0x8000, 0x10000)
                    .cells("msi-map-mask", 0xfff8)
                    .end()));
    assertEquals(OptionalInt.of(0x1008), stream(b, 0x08));
    assertEquals(OptionalInt.of(0x3001), stream(b, 0x101));
    assertEquals(OptionalInt.empty(), stream(b, 0x200));
    assertEquals(
        OptionalInt.of(0x8008),
        b.msis().getFirst().deviceIdOf(0x0f),
        "the mask is applied to the id");
    assertEquals(AddressRange.ofSize(0x40_1000_0000L, 0x1000_0000), b.ecam().orElseThrow());
  }

  @Test
  @DisplayName("entries of length 0 and 1, with phandle 0, with an unknown phandle, mapped twice")
  void oddEntries() throws IOException {
    MachineDescription m =
        read(
            host(smmu(gic(TreeBuilder.machine())))
                .cells(
                    "iommu-map",
                    0,
                    SMMU,
                    0,
                    0,
                    8,
                    SMMU,
                    7,
                    1,
                    0x10,
                    0,
                    0,
                    1,
                    0x20,
                    99,
                    0,
                    1,
                    0x100,
                    SMMU,
                    0,
                    0x10,
                    0x108,
                    SMMU,
                    0,
                    0x10)
                .end());
    HostBridge b = only(m);
    assertEquals(OptionalInt.empty(), stream(b, 0));
    assertEquals(OptionalInt.of(7), stream(b, 8));
    assertEquals(OptionalInt.empty(), stream(b, 9));
    assertEquals(OptionalInt.of(8), stream(b, 0x108));
    List<String> odd = m.oddities().stream().map(o -> o.message()).toList();
    assertEquals(4, odd.size(), odd.toString());
    assertTrue(odd.get(0).contains("length 0"));
    assertTrue(odd.get(1).contains("phandle 0"));
    assertTrue(odd.get(2).contains("0x63, which no node has"));
    assertTrue(odd.get(3).contains("maps id 0x108 twice"));
  }

  @Test
  @DisplayName("several msi-parents, each followed by its #msi-cells")
  void severalParents() throws IOException {
    HostBridge b =
        only(
            read(
                host(gic(TreeBuilder.machine())
                        .begin("its@9080000")
                        .text("compatible", "arm,gic-v3-its")
                        .cells("#msi-cells", 1)
                        .cells("phandle", ITS2)
                        .cells("reg", 0, 0x9080000, 0, 0x20000)
                        .end())
                    .cells("msi-parent", ITS, 0x77, ITS2, 0x78)
                    .end()));
    assertEquals(List.of("its@0x8080000", "its@0x9080000"), b.msis().getFirst().controllers());
    assertEquals(OptionalInt.of(0x123), b.msis().getFirst().deviceIdOf(0x123));
  }

  @Test
  @DisplayName(
      "arm,gic.yaml: a v2m frame below a GIC-400 on a bus with ranges; its SPIs are told by properties")
  void gicv2m() throws IOException {
    MachineDescription m =
        read(
            host(TreeBuilder.machine()
                    .begin("soc")
                    .cells("#address-cells", 1)
                    .cells("#size-cells", 1)
                    .cells("ranges", 0x0, 0x1, 0xe0000000, 0x1000000)
                    .begin("gic@1000")
                    .text("compatible", "arm,gic-400")
                    .flag("interrupt-controller")
                    .cells("phandle", GIC)
                    .cells("#address-cells", 1)
                    .cells("#size-cells", 1)
                    .cells("ranges", 0, 0x10000, 0x100000)
                    .cells("reg", 0x1000, 0x1000, 0x2000, 0x2000)
                    .begin("v2m@2000")
                    .text("compatible", "arm,gic-v2m-frame")
                    .flag("msi-controller")
                    .cells("phandle", V2M)
                    .cells("arm,msi-base-spi", 80)
                    .cells("arm,msi-num-spis", 64)
                    .cells("reg", 0x2000, 0x1000)
                    .end()
                    .end()
                    .end())
                .cells("msi-parent", V2M)
                .end());
    MsiControllerDescription.GicV2m v2m =
        (MsiControllerDescription.GicV2m) m.msiControllers().getFirst();
    assertEquals(AddressRange.ofSize(0x1_e001_2000L, 0x1000), v2m.window());
    assertEquals(OptionalInt.of(80), v2m.spiBase());
    assertEquals(OptionalInt.of(64), v2m.spiCount());
    assertEquals(2, m.gic().orElseThrow().version());
    assertEquals(0x1_e000_2000L, m.gic().orElseThrow().cpuInterface().orElseThrow().start());
    assertEquals(List.of(v2m.id()), only(m).msis().getFirst().controllers());
  }

  @Test
  @DisplayName(
      "arm,gic-v3.yaml: mbi-ranges make the distributor an MSI controller, at its alias when it has one")
  void messageBasedSpis() throws IOException {
    MachineDescription m =
        read(
            host(TreeBuilder.machine()
                    .begin("gic@fd400000")
                    .text("compatible", "arm,gic-v3")
                    .flag("msi-controller")
                    .flag("interrupt-controller")
                    .cells("phandle", GIC)
                    .cells("mbi-ranges", 296, 24, 400, 8)
                    .cells("mbi-alias", 0, 0xfd410000)
                    .cells("reg", 0, 0xfd400000, 0, 0x10000, 0, 0xfd460000, 0, 0x80000)
                    .end())
                .cells("msi-map", 0, GIC, 0, 0x1000)
                .end());
    MsiControllerDescription c = m.msiControllers().getFirst();
    assertEquals("GICv3 MBI", c.kind());
    assertEquals(0xfd410040L, c.doorbell().orElseThrow());
    assertEquals(OptionalInt.of(32), c.vectors());
    assertFalse(c.isolated());
    assertEquals(List.of(c.id()), only(m).msis().getFirst().controllers());
  }

  @Test
  @DisplayName("ranges and dma-ranges of a host bridge")
  void windows() throws IOException {
    MachineDescription m =
        read(
            host(TreeBuilder.machine())
                .cells(
                    "ranges",
                    0x1000000,
                    0,
                    0,
                    0,
                    0x3eff0000,
                    0,
                    0x10000,
                    0x42000000,
                    0,
                    0x20000000,
                    0,
                    0x10000000,
                    0,
                    0x1000000)
                .cells("dma-ranges", 0x2000000, 0, 0, 0x1, 0, 0, 0x40000000)
                .cells("bus-range", 0x10, 0x1f)
                .cells("linux,pci-domain", 7)
                .end());
    HostBridge b = only(m);
    assertEquals("pci0007:10", b.id());
    assertEquals(0x1f, b.lastBus());
    assertTrue(b.windows().get(0).io());
    assertEquals(0x2000_0000L, b.windows().get(1).pciStart());
    assertTrue(b.windows().get(1).prefetchable());
    assertEquals(List.of(AddressRange.ofSize(0x1_0000_0000L, 0x4000_0000)), b.dmaRanges());
    assertTrue(m.unseen().stream().anyMatch(u -> u.why().contains("shift")));
  }

  @Test
  @DisplayName(
      "virtio,pci-iommu: the function on the bus; it does not translate itself, MSIs pass it")
  void virtioIommu() throws IOException {
    MachineDescription m =
        read(
            host(gic(TreeBuilder.machine()))
                .cells("iommu-map", 0, SMMU, 0, 8, 9, SMMU, 9, 0xfff7)
                .cells("msi-parent", ITS)
                .begin("iommu@1")
                .text("compatible", "virtio,pci-iommu")
                .cells("#iommu-cells", 1)
                .cells("phandle", SMMU)
                .cells("reg", 0x800, 0, 0, 0, 0)
                .end()
                .end());
    IommuDescription.VirtioIommu v = (IommuDescription.VirtioIommu) m.iommus().getFirst();
    assertEquals(Optional.of("0000:00:01.0"), v.function());
    assertEquals(OptionalInt.empty(), stream(only(m), 8));
    assertEquals(OptionalInt.of(0x10), stream(only(m), 0x10));
    ReservedRegion region = m.reserved().getFirst().region();
    assertEquals(ReservedRegion.Kind.MSI, region.kind());
    assertEquals(0x8090000L, region.range().start());
  }

  @Test
  @DisplayName("reserved-memory.yaml: iommu-addresses equal to reg are direct, others are reserved")
  void reservedMemory() throws IOException {
    MachineDescription m =
        read(
            host(smmu(TreeBuilder.machine()))
                .cells("iommu-map", 0, SMMU, 0x100, 0x80)
                .end()
                .begin("display@1")
                .cells("phandle", 40)
                .cells("iommus", SMMU, 0x55)
                .end()
                .begin("reserved-memory")
                .cells("#address-cells", 2)
                .cells("#size-cells", 2)
                .flag("ranges")
                .begin("fb@90000000")
                .cells("reg", 0, 0x90000000, 0, 0x800000)
                .cells("iommu-addresses", 40, 0, 0x90000000, 0, 0x800000)
                .end()
                .begin("hole")
                .cells("iommu-addresses", HOST, 0, 0x8000000, 0, 0x1000000)
                .end()
                .end());
    assertEquals(2, m.reserved().size());
    MachineDescription.Reservation direct = m.reserved().get(0);
    assertEquals(ReservedRegion.Kind.DIRECT, direct.region().kind());
    assertEquals(List.of(new MachineDescription.StreamRange(0x55, 0x55)), direct.streamIds());
    MachineDescription.Reservation hole = m.reserved().get(1);
    assertEquals(ReservedRegion.Kind.RESERVED, hole.region().kind());
    assertEquals(List.of(new MachineDescription.StreamRange(0x100, 0x17f)), hole.streamIds());
    assertEquals(Optional.of("smmuv3@0x9050000"), hole.iommu());
  }

  @Test
  @DisplayName(
      "what is not driven keeps its compatible; what is not enabled is said not to be seen")
  void others() throws IOException {
    MachineDescription m =
        read(
            TreeBuilder.machine()
                .begin("cpus")
                .begin("cpu@0")
                .text("compatible", "arm,cortex-a72")
                .cells("reg", 0, 0x100)
                .end()
                .end()
                .begin("iommu@1000")
                .text("compatible", "rockchip,rk3568-iommu", "rockchip,iommu")
                .cells("#iommu-cells", 0)
                .cells("reg", 0, 0x1000, 0, 0x100)
                .end()
                .begin("iommu@2000")
                .text("compatible", "arm,mmu-500")
                .text("status", "disabled")
                .cells("#iommu-cells", 1)
                .cells("reg", 0, 0x2000, 0, 0x100)
                .end());
    assertEquals(Arch.ARM64, m.arch());
    assertEquals(
        List.of("rockchip,rk3568-iommu"), m.iommus().stream().map(IommuDescription::kind).toList());
    assertTrue(m.unseen().stream().anyMatch(u -> u.what().contains("/iommu@2000")));
  }

  @Test
  @DisplayName("a host bridge with an msi interrupt and no msi-map is its own controller")
  void ownController() throws IOException {
    MachineDescription m =
        read(
            TreeBuilder.machine()
                .begin("pcie@1000")
                .text("compatible", "snps,dw-pcie")
                .text("device_type", "pci")
                .text("interrupt-names", "aer", "msi")
                .cells("#address-cells", 3)
                .cells("#size-cells", 2)
                .end());
    assertEquals("snps,dw-pcie (host bridge)", m.msiControllers().getFirst().kind());
    assertEquals(List.of("msi@pci0000:00"), only(m).msis().getFirst().controllers());
    assertTrue(m.function(Sbdf.parse("0000:00:00.0")).isEmpty());
  }

  @Test
  @DisplayName(
      "Devicetree 0.4 5.4: a zero token ends the reading, with its offset, and what came before stays")
  void damagedStructure() throws IOException {
    MachineDescription m = read(gic(TreeBuilder.machine()).token(0));
    assertEquals(1, m.msiControllers().size());
    assertTrue(m.oddities().getFirst().message().contains("0x0 is no token"));
    assertTrue(m.oddities().getFirst().source().offset() > 0x100);
    assertTrue(m.unseen().stream().anyMatch(u -> u.what().startsWith("the device tree after")));
  }

  @Test
  @DisplayName("a tree nested deeper than 64 is read to that depth")
  void deepNesting() throws IOException {
    TreeBuilder t = TreeBuilder.machine();
    for (int i = 0; i < 5000; i++) {
      t.begin("n");
    }
    for (int i = 0; i < 5000; i++) {
      t.end();
    }
    MachineDescription m = read(gic(t));
    assertEquals(1, m.msiControllers().size(), "what follows the deep nodes is still read");
    assertTrue(m.oddities().getFirst().message().contains("more than 64 deep"));
  }
}
