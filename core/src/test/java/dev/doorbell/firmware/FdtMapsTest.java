package dev.doorbell.firmware;

import static dev.doorbell.firmware.Nodes.ITS;
import static dev.doorbell.firmware.Nodes.SMMU;
import static dev.doorbell.firmware.Nodes.gic;
import static dev.doorbell.firmware.Nodes.host;
import static dev.doorbell.firmware.Nodes.smmu;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.description.HostBridge;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MsiControllerDescription;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName(
    "pci-iommu.txt, pci-msi.txt, host-generic-pci.yaml: what ids become, at the ends of their ranges")
class FdtMapsTest {
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

  private static OptionalInt stream(HostBridge b, int rid) {
    return b.streams().stream()
        .map(s -> s.streamOf(rid))
        .filter(OptionalInt::isPresent)
        .findFirst()
        .orElse(OptionalInt.empty());
  }

  private static List<String> odd(MachineDescription m) {
    return m.oddities().stream().map(o -> o.message()).toList();
  }

  private static TreeBuilder both() {
    return host(smmu(gic(TreeBuilder.machine())));
  }

  @Test
  @DisplayName(
      "iommu-map-mask: ids are masked first; an entry that begins outside the mask is told and passed over")
  void streamMask() throws IOException {
    MachineDescription m =
        read(
            both()
                .cells("iommu-map-mask", 0xff00)
                .cells("iommu-map", 0x100, SMMU, 0x5000, 0x100, 0x208, SMMU, 0x6000, 0x100)
                .end());
    assertEquals(OptionalInt.of(0x5000), stream(only(m), 0x1ff));
    assertEquals(OptionalInt.empty(), stream(only(m), 0x208));
    assertEquals(
        List.of("iommu-map entry 1 of /pcie@10000000 begins at id 0x208, outside the mask 0xff00"),
        odd(m));
  }

  @Test
  @DisplayName(
      "maps end with the last requester id, and none leads past 32 bits; touching entries are no overlap")
  void ends() throws IOException {
    MachineDescription m =
        read(
            both()
                .cells("iommu-map", 0xff00, SMMU, 0, 0x1000, 0xfe00, SMMU, 0xffff_ff80L, 0x100)
                .cells("msi-map", 0xff00, ITS, 0x10, 0x1000, 0xfe00, ITS, 0x4000, 0x100)
                .end());
    assertEquals(1, only(m).streams().size());
    assertEquals(0x100, only(m).streams().getFirst().count());
    assertEquals(0x100, only(m).msis().getFirst().count());
    assertEquals(
        OptionalInt.of(0x10f), only(m).msiMapping(0xffff).orElseThrow().deviceIdOf(0xffff));
    assertEquals(List.of("iommu-map entry 1 of /pcie@10000000 leads past 32 bits"), odd(m));
  }

  @ParameterizedTest(name = "iommu-map-mask {0}")
  @CsvSource({"0xffff, false", "0xfff8, true"})
  @DisplayName(
      "a virtio-iommu that is a function in its own map is left out of it, unless ids are masked together")
  void itself(String mask, boolean itself) throws IOException {
    HostBridge b =
        only(
            read(
                host(gic(TreeBuilder.machine()))
                    .cells("iommu-map-mask", Integer.decode(mask))
                    .cells("iommu-map", 0, SMMU, 0x100, 0x10000)
                    .begin("iommu@1")
                    .text("compatible", "virtio,pci-iommu")
                    .cells("#iommu-cells", 1)
                    .cells("phandle", SMMU)
                    .cells("reg", 0x0800, 0, 0, 0, 0)
                    .end()
                    .end()));
    assertEquals(OptionalInt.of(itself ? 0x100 : 0x107), stream(b, 0x07));
    assertEquals(itself ? OptionalInt.of(0x108) : OptionalInt.empty(), stream(b, 0x08));
    assertEquals(OptionalInt.of(itself ? 0x108 : 0x109), stream(b, 0x09));
  }

  @Test
  @DisplayName("the function of a virtio,pci-iommu is bus, device and function of its reg")
  void function() throws IOException {
    MachineDescription m =
        read(
            host(TreeBuilder.machine())
                .begin("iommu")
                .text("compatible", "virtio,pci-iommu")
                .cells("phandle", SMMU)
                .cells("#iommu-cells", 1)
                .cells("reg", 0x0003_fd00, 0, 0, 0, 0)
                .end()
                .end());
    IommuDescription.VirtioIommu v = (IommuDescription.VirtioIommu) m.iommus().getFirst();
    assertEquals(Optional.of("0000:03:1f.5"), v.function());
  }

  @Test
  @DisplayName(
      "maps to what is no IOMMU and no MSI controller are told; to what is not enabled, the IOMMU is unseen")
  void targets() throws IOException {
    MachineDescription wrong =
        read(both().cells("iommu-map", 0, ITS, 0, 8).cells("msi-map", 0, SMMU, 0, 8).end());
    assertEquals(2, odd(wrong).size(), odd(wrong)::toString);
    assertTrue(odd(wrong).get(0).endsWith("/its@8080000, which is no IOMMU"), odd(wrong)::toString);
    assertTrue(
        odd(wrong).get(1).endsWith("/iommu@9050000, which is no MSI controller"),
        odd(wrong)::toString);
    MachineDescription off =
        read(
            host(TreeBuilder.machine()
                    .begin("iommu@9050000")
                    .text("compatible", "arm,smmu-v3")
                    .text("status", "disabled")
                    .cells("#iommu-cells", 1)
                    .cells("phandle", SMMU)
                    .cells("reg", 0, 0x9050000, 0, 0x20000)
                    .end())
                .cells("iommu-map", 0, SMMU, 0, 8)
                .end());
    assertEquals(List.of(), odd(off));
    assertEquals(List.of(), only(off).streams());
    assertTrue(off.unseen().stream().anyMatch(u -> u.what().contains("/iommu@9050000")));
  }

  @Test
  @DisplayName(
      "a virtio-iommu's MSI region is the doorbell of those behind it, not of other host bridges")
  void regionOfThoseBehind() throws IOException {
    MachineDescription m =
        read(
            host(gic(TreeBuilder.machine())
                    .begin("v2m@3000")
                    .text("compatible", "arm,gic-v2m-frame")
                    .cells("phandle", 77)
                    .cells("reg", 0, 0x3000, 0, 0x1000)
                    .end()
                    .begin("viommu@4000")
                    .text("compatible", "virtio,mmio")
                    .cells("#iommu-cells", 1)
                    .cells("phandle", SMMU)
                    .cells("reg", 0, 0x4000, 0, 0x200)
                    .end()
                    .begin("pcie@5000")
                    .text("device_type", "pci")
                    .cells("msi-parent", 77)
                    .end())
                .cells("iommu-map", 0, SMMU, 0, 0x10000)
                .cells("msi-parent", ITS)
                .end());
    assertEquals("virtio-iommu@0x4000", m.iommus().getFirst().id());
    assertEquals(
        List.of(0x8090000L), m.reserved().stream().map(r -> r.region().range().start()).toList());
  }

  @ParameterizedTest(name = "{0} to {1}")
  @CsvSource({"0, 256", "5, 4", "0xffffffff, 0"})
  @DisplayName("a bus-range that cannot be is told, and all buses are taken")
  void busRange(String first, String last) throws IOException {
    MachineDescription m =
        read(
            host(TreeBuilder.machine())
                .cells("bus-range", Long.decode(first), Long.decode(last))
                .end());
    assertEquals(0, only(m).firstBus());
    assertEquals(255, only(m).lastBus());
    assertEquals(1, odd(m).size());
  }

  @Test
  @DisplayName(
      "only pci-host-ecam-generic's reg is an ECAM window; a bridge with msi-controller is its own controller")
  void otherHost() throws IOException {
    HostBridge b =
        only(
            read(
                TreeBuilder.machine()
                    .begin("pcie@1000")
                    .text("compatible", "snps,dw-pcie")
                    .text("device_type", "pci")
                    .flag("msi-controller")
                    .cells("reg", 0, 0x1000, 0, 0x1000)
                    .cells("#address-cells", 3)
                    .cells("#size-cells", 2)
                    .end()));
    assertEquals(Optional.empty(), b.ecam());
    assertEquals(List.of("msi@pci0000:00"), b.msis().getFirst().controllers());
  }

  @Test
  @DisplayName(
      "segments: those that linux,pci-domain names are left free for them, whatever the order")
  void domains() throws IOException {
    TreeBuilder t = TreeBuilder.machine();
    for (int i = 0; i < 3; i++) {
      t.begin("pcie@" + i).text("device_type", "pci");
      if (i > 0) {
        t.cells("linux,pci-domain", i - 1);
      }
      t.end();
    }
    assertEquals(
        List.of(2, 0, 1), read(t).hostBridges().stream().map(HostBridge::segment).toList());
  }

  @Test
  @DisplayName(
      "Linux get_phb_number: of two bridges with one number and common buses the second is numbered anew; apart in buses they keep it")
  void sameDomain() throws IOException {
    for (int first : new int[] {0, 0x80}) {
      TreeBuilder t = TreeBuilder.machine();
      for (int i = 0; i < 2; i++) {
        t.begin("pcie@" + i)
            .text("device_type", "pci")
            .cells("linux,pci-domain", 3)
            .cells("bus-range", i * first, i * first + 0x7f)
            .end();
      }
      MachineDescription m = read(t);
      boolean common = first == 0;
      assertEquals(
          List.of(3, common ? 0 : 3), m.hostBridges().stream().map(HostBridge::segment).toList());
      assertEquals(
          common
              ? List.of(
                  "/pcie@1 has the PCI domain 0x3, which is too large, or that of a bridge before it that has its buses: it is numbered 0x0")
              : List.of(),
          odd(m));
    }
  }

  @Test
  @DisplayName(
      "a bridge whose bus-range makes no sense has all buses, also where another has its number")
  void sameDomainNoBuses() throws IOException {
    TreeBuilder t = TreeBuilder.machine();
    for (int i = 0; i < 2; i++) {
      t.begin("pcie@" + i)
          .text("device_type", "pci")
          .cells("linux,pci-domain", 3)
          .cells("bus-range", 0xf0 - i, 0x10)
          .end();
    }
    assertEquals(List.of(3, 0), read(t).hostBridges().stream().map(HostBridge::segment).toList());
  }

  private static TreeBuilder its(TreeBuilder t, long at, long bytes, String status) {
    return t.begin("its@" + Long.toHexString(at))
        .text("compatible", "arm,gic-v3-its")
        .text("status", status)
        .cells("reg", 0, at, 0, bytes)
        .end();
  }

  @Test
  @DisplayName(
      "arm,gic-v3-its: two frames whatever reg says, numbered in the tree's order; only status okay and ok count")
  void itses() throws IOException {
    TreeBuilder t = TreeBuilder.machine();
    its(t, 0x1_0000, 0x1_0000, "okay");
    its(t, 0x10_0000, 0x4_0000, "disabled");
    its(t, 0x20_0000, 0x4_0000, "ok");
    its(
            t.begin("off")
                .text("status", "fail")
                .flag("ranges")
                .cells("#address-cells", 2)
                .cells("#size-cells", 2),
            0x30_0000,
            0x2_0000,
            "okay")
        .end();
    List<MsiControllerDescription> all = read(t).msiControllers();
    assertEquals(
        List.of("its@0x10000", "its@0x200000"),
        all.stream().map(MsiControllerDescription::id).toList());
    for (int i = 0; i < 2; i++) {
      MsiControllerDescription.Its its = (MsiControllerDescription.Its) all.get(i);
      assertEquals(i, its.itsId());
      assertEquals(0x2_0000, its.window().bytes());
    }
  }

  @Test
  @DisplayName(
      "arm,gic-v2m-frame: more SPIs than there are is told and MSI_TYPER counts; a disabled frame is none")
  void frames() throws IOException {
    TreeBuilder t = TreeBuilder.machine();
    for (int i = 0; i < 2; i++) {
      t.begin("v2m@" + i)
          .text("compatible", "arm,gic-v2m-frame")
          .text("status", i == 0 ? "okay" : "disabled")
          .cells("reg", 0, 0x1000 * (i + 1L), 0, 0x1000)
          .cells("arm,msi-base-spi", 64)
          .cells("arm,msi-num-spis", 1021)
          .end();
    }
    MachineDescription m = read(t);
    assertEquals(1, m.msiControllers().size());
    MsiControllerDescription.GicV2m v2m =
        (MsiControllerDescription.GicV2m) m.msiControllers().getFirst();
    assertEquals(OptionalInt.of(64), v2m.spiBase());
    assertEquals(OptionalInt.empty(), v2m.spiCount());
    assertEquals(
        List.of("arm,msi-num-spis of /v2m@0 is 1021; there are no SPIs above 1019"), odd(m));
  }
}
