package dev.doorbell.firmware;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.Arch;
import dev.doorbell.description.HostBridge;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.explain.Unseen;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName(
    "Device-tree bindings of PowerPC and POWER: PAMU, MPIC banks, OPAL and PAPR host bridges")
class PowerTreesTest {
  private static final long UNIT = 0x22;
  private static final long BANK = 0x31;

  @TempDir Path folder;

  private MachineDescription read(TreeBuilder tree) throws IOException {
    Path file = Files.createDirectories(folder.resolve("sys/firmware")).resolve("fdt");
    Files.write(file, tree.end().build());
    return Firmware.read(Sysroot.open(folder));
  }

  private static OptionalInt stream(HostBridge b, int rid) {
    return b.streams().stream()
        .map(s -> s.streamOf(rid))
        .filter(OptionalInt::isPresent)
        .findFirst()
        .orElse(OptionalInt.empty());
  }

  /// A QorIQ: a PAMU of one unit, two message banks with alias pages, `count` controllers of a revision.
  private static TreeBuilder qoriq(String revision, String banks, long... liodn) {
    TreeBuilder t =
        TreeBuilder.machine()
            .begin("cpus")
            .begin("PowerPC,e5500@0")
            .text("device_type", "cpu")
            .end()
            .end()
            .begin("soc@ffe000000")
            .cells("#address-cells", 1)
            .cells("#size-cells", 1)
            .cells("ranges", 0, 0xf, 0xfe00_0000L, 0x100_0000)
            .begin("iommu@20000")
            .text("compatible", "fsl,pamu-v1.0", "fsl,pamu")
            .cells("reg", 0x20000, 0x5000)
            .cells("ranges", 0, 0x20000, 0x5000)
            .cells("#address-cells", 1)
            .cells("#size-cells", 1)
            .begin("pamu@0")
            .cells("reg", 0, 0x1000)
            .cells("phandle", UNIT)
            .end()
            .end();
    for (int i = 0; i < 2; i++) {
      t.begin("msi@" + Long.toHexString(0x41600 + 0x200L * i))
          .text("compatible", banks)
          .cells("reg", 0x41600 + 0x200L * i, 0x200, 0x44140 + 0x1000L * i, 4)
          .cells("phandle", BANK + i)
          .end();
    }
    t.end();
    for (int i = 0; i < 3; i++) {
      t.begin("pcie@ffe20" + i + "000")
          .text("device_type", "pci")
          .text("compatible", "fsl,qoriq-pcie-" + revision)
          .cells("#address-cells", 3)
          .cells("#size-cells", 2)
          .cells("fsl,iommu-parent", UNIT);
      if (liodn.length > 0) {
        t.cells("fsl,liodn", liodn[i]);
      }
      if (liodn.length > 3) {
        t.cells("fsl,liodn-offset-list", 0, liodn[3], liodn[3] + 4);
      }
      t.end();
    }
    return t;
  }

  @Test
  @DisplayName(
      "bridges of NVLink and of IODA1 are not read, and nobody behind them is told to have no IOMMU for certain")
  void unreadBridges() throws IOException {
    TreeBuilder t = TreeBuilder.machine();
    for (String kind : new String[] {"ibm,ioda2-npu2-phb", "ibm,ioda-phb"}) {
      t.begin("pciex@" + (kind.length() == 18 ? "6030200000000" : "3fff000000000"))
          .text("device_type", "pciex")
          .text("compatible", "ibm,some-pciex", kind)
          .cells("reg", 0x60302, 0, 0, 0x1000)
          .cells("#address-cells", 3)
          .cells("#size-cells", 2)
          .cells("ibm,opal-phbid", 0, kind.length())
          .end();
    }
    MachineDescription m = read(t);
    assertEquals(2, m.hostBridges().size());
    assertEquals(List.of(), m.iommus());
    assertEquals(
        2,
        m.unseen().stream()
            .filter(u ->
                u.what().startsWith("PEs and messages of")
                    && u.hides().containsAll(List.of(Unseen.Hidden.values())))
            .count());
  }

  @Test
  @DisplayName("fsl,liodn below revision 2.4: every function of a controller has the controller's")
  void oneLiodn() throws IOException {
    MachineDescription m = read(qoriq("v2.2", "fsl,mpic-msi", 193, 194, 195));
    assertEquals(Arch.POWERPC, m.arch());
    assertEquals("pamu@0xffe020000", m.iommus().getFirst().id());
    HostBridge second = m.hostBridges().get(1);
    assertEquals(OptionalInt.of(194), stream(second, 0));
    assertEquals(OptionalInt.of(194), stream(second, 0x100));
    assertEquals(OptionalInt.of(194), stream(second, 0xffff));
    assertTrue(m.unseen().stream().noneMatch(u -> u.what().startsWith("LIODNs")));
  }

  @Test
  @DisplayName(
      "fsl,liodn-offset-list from revision 2.4: endpoints have their own; the sum has 32 bits")
  void endpointLiodns() throws IOException {
    MachineDescription m =
        read(qoriq("v2.4", "fsl,mpic-msi", 193, 194, 195, 0xffff_ffffL & (64 - 193)));
    HostBridge first = m.hostBridges().getFirst();
    assertEquals(OptionalInt.of(64), stream(first, 0x100));
    assertEquals(OptionalInt.of(68), stream(first, 0x101));
    assertEquals(OptionalInt.of(193), stream(first, 0x102), "the list is over");
    assertEquals(OptionalInt.of(193), stream(first, 0), "the root port");
  }

  @Test
  @DisplayName(
      "a tree without fsl,liodn: numbers of Doorbell's own, told to be that, all different")
  void unnumbered() throws IOException {
    MachineDescription m = read(qoriq("v3.0", "fsl,mpic-msi-v4.3"));
    assertTrue(m.unseen().stream().anyMatch(u -> u.what().startsWith("LIODNs of /pcie@ffe200000")));
    long different =
        m.hostBridges().stream()
            .flatMap(b -> b.streams().stream())
            .map(HostBridge.StreamMapping::firstStreamId)
            .distinct()
            .count();
    assertEquals(3 * 9, different);
    assertEquals(OptionalInt.of(1024), stream(m.hostBridges().getFirst(), 0x100));
  }

  @Test
  @DisplayName(
      "msi-pic.txt: banks, their alias pages and sizes; a bank for each controller while there are enough")
  void banks() throws IOException {
    MachineDescription m = read(qoriq("v2.2", "fsl,mpic-msi"));
    MsiControllerDescription bank = m.msiControllers().getFirst();
    assertEquals("mpic-msi@0xffe041600", bank.id());
    assertEquals(0xf_fe04_4140L, bank.doorbell().orElseThrow());
    assertEquals(AddressRange.ofSize(0xf_fe04_4000L, 0x1000), bank.frame().orElseThrow());
    assertEquals(OptionalInt.of(256), bank.vectors());
    assertEquals(
        List.of("mpic-msi@0xffe041600", "mpic-msi@0xffe041800", "mpic-msi@0xffe041600"),
        m.hostBridges().stream().map(b -> b.msis().getFirst().controllers().getFirst()).toList());
    MachineDescription wide = read(qoriq("v2.4", "fsl,mpic-msi-v4.3"));
    assertEquals(OptionalInt.of(512), wide.msiControllers().getFirst().vectors());
  }

  private static TreeBuilder opal(String kind, String generation, long phb) {
    return TreeBuilder.machine()
        .begin("cpus")
        .begin("PowerPC,POWER9@0")
        .text("device_type", "cpu")
        .cells("ibm,ppc-interrupt-server#s", 0)
        .end()
        .end()
        .begin("interrupt-controller@0")
        .text(
            "compatible",
            generation.equals("ibm,power8-pciex") ? "IBM,opal-xics" : "ibm,opal-xive-vc")
        .end()
        .begin("pciex@600c3c0000000")
        .text("device_type", "pciex")
        .text("compatible", generation, kind)
        .cells("reg", 0x600c3, 0xc000_0000L, 0, 0x1000)
        .cells("#address-cells", 3)
        .cells("#size-cells", 2)
        .cells("ibm,opal-phbid", 0, phb)
        .cells("ibm,opal-num-pes", 0x200)
        .cells("ibm,opal-reserved-pe", 0x1ff)
        .cells("ibm,opal-msi-ranges", 0xfe000, 0xff8)
        .begin("pci@0")
        .text("device_type", "pciex")
        .end()
        .end();
  }

  @Test
  @DisplayName(
      "OPAL: an IODA3 bridge is its own IOMMU and MSI controller; ports below it are no bridges of the host")
  void ioda3() throws IOException {
    MachineDescription m = read(opal("ibm,ioda3-phb", "ibm,power10-pciex", 0x31));
    HostBridge b = m.hostBridges().getFirst();
    assertEquals(1, m.hostBridges().size());
    assertEquals(0x31, b.segment());
    IommuDescription.Phb phb = (IommuDescription.Phb) m.iommus().getFirst();
    assertEquals("PHB5", phb.kind());
    assertEquals(OptionalInt.of(0x200), phb.pes());
    assertEquals(OptionalInt.of(0x1ff), phb.reservedPe());
    assertEquals(OptionalInt.of(0x105), stream(b, 0x105));
    MsiControllerDescription msi = m.msiControllers().getFirst();
    assertEquals("PHB5 MSI (XIVE)", msi.kind());
    assertEquals(OptionalInt.of(0xff8), msi.vectors());
    assertTrue(msi.isolated());
  }

  @Test
  @DisplayName("OPAL: an IODA2 bridge is a PHB3 and sends to XICS")
  void ioda2() throws IOException {
    MachineDescription m = read(opal("ibm,ioda2-phb", "ibm,power8-pciex", 0));
    assertEquals("PHB3", m.iommus().getFirst().kind());
    assertEquals("PHB3 MSI (XICS)", m.msiControllers().getFirst().kind());
  }

  @Test
  @DisplayName(
      "LoPAPR ibm,dma-window: LIOBN, first address, size; the domain number is the low half of reg")
  void papr() throws IOException {
    MachineDescription m =
        read(
            TreeBuilder.machine()
                .begin("pci@800000020000005")
                .text("device_type", "pci")
                .text("compatible", "IBM,Logical_PHB")
                .cells("reg", 0x800_0000, 0x2000_0005, 0, 0)
                .cells("#address-cells", 3)
                .cells("#size-cells", 2)
                .cells("ibm,#dma-address-cells", 2)
                .cells("ibm,#dma-size-cells", 2)
                .cells("ibm,dma-window", 0x8000_0100L, 0, 0, 0, 0x4000_0000)
                .cells("ibm,ddw-applicable", 1, 2, 3)
                .cells("ibm,pe-total-#msi", 12)
                .end());
    IommuDescription.PaprTce t = (IommuDescription.PaprTce) m.iommus().getFirst();
    assertEquals(0x8000_0100L, t.liobn());
    assertEquals(new AddressRange(0, 0x3fff_ffff), t.window());
    assertTrue(t.dynamic());
    assertEquals(5, m.hostBridges().getFirst().segment());
    assertEquals(OptionalInt.of(12), m.msiControllers().getFirst().vectors());
    assertEquals(OptionalInt.of(0x8000_0100), stream(m.hostBridges().getFirst(), 0x1234));
  }

  @Test
  @DisplayName(
      "LoPAPR ibm,dma-window of bridges and functions below the host bridge: the nearest one counts")
  void windowsBelow() throws IOException {
    MachineDescription m =
        read(
            TreeBuilder.machine()
                .begin("pci@800000020000000")
                .text("device_type", "pci")
                .text("compatible", "IBM,Logical_PHB")
                .cells("#address-cells", 3)
                .cells("#size-cells", 2)
                .begin("pci@2")
                .text("device_type", "pci")
                .cells("reg", 0x1000, 0, 0, 0, 0)
                .cells("#address-cells", 3)
                .cells("#size-cells", 2)
                .cells("bus-range", 1, 2)
                .cells("ibm,dma-window", 0x8000_0200L, 0, 0x4000_0000)
                .begin("ethernet@1")
                .cells("reg", 0x2_0900, 0, 0, 0, 0)
                .cells("ibm,dma-window", 0x8000_0300L, 0, 0x2000_0000)
                .end()
                .end()
                .end());
    HostBridge b = m.hostBridges().getFirst();
    assertEquals(OptionalInt.of(0x8000_0200), stream(b, 0x100));
    assertEquals(OptionalInt.of(0x8000_0200), stream(b, 0x2ff));
    assertEquals(OptionalInt.of(0x8000_0300), stream(b, 0x209), "its own");
    assertEquals(OptionalInt.empty(), stream(b, 0x10), "the host bridge has none");
    assertEquals(2, m.iommus().size());
    assertTrue(m.unseen().stream().noneMatch(u -> u.what().startsWith("the DMA window of")));
  }

  @Test
  @DisplayName("LoPAPR ibm,dma-window cut short: whether there is an IOMMU cannot be seen")
  void shortWindow() throws IOException {
    MachineDescription m =
        read(
            TreeBuilder.machine()
                .begin("pci@800000020000000")
                .text("device_type", "pci")
                .text("compatible", "IBM,Logical_PHB")
                .cells("#address-cells", 3)
                .cells("#size-cells", 2)
                .cells("ibm,dma-window", 0x8000_0100L, 0)
                .end());
    assertEquals(List.of(), m.iommus());
    Unseen u =
        m.unseen().stream()
            .filter(x -> x.what().startsWith("the DMA window of"))
            .findFirst()
            .orElseThrow();
    assertEquals("ibm,dma-window of /pci@800000020000000 has 2 cells and needs 3", u.why());
    assertEquals(Set.of(Unseen.Hidden.IOMMUS), u.hides());
  }
}
