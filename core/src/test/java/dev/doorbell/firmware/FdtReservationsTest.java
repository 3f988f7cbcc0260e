package dev.doorbell.firmware;

import static dev.doorbell.firmware.Nodes.SMMU;
import static dev.doorbell.firmware.Nodes.host;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.description.MachineDescription;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.pci.Sbdf;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("reserved-memory.yaml: iommu-addresses of PCI functions and other devices")
class FdtReservationsTest {
  private static final int DISPLAY = 40;
  private static final int CODEC = 41;
  private static final int NIC = 42;

  @TempDir Path folder;

  private MachineDescription read(TreeBuilder tree) throws IOException {
    Path file = Files.createDirectories(folder.resolve("sys/firmware")).resolve("fdt");
    Files.write(file, tree.end().build());
    return Firmware.read(Sysroot.open(folder));
  }

  /// {@return a machine with an SMMU whose specifiers have two cells, two devices behind it, and a function}
  private static TreeBuilder machine() {
    TreeBuilder t =
        TreeBuilder.machine()
            .begin("iommu@9050000")
            .text("compatible", "arm,smmu-v3")
            .cells("#iommu-cells", 2)
            .cells("phandle", SMMU)
            .cells("reg", 0, 0x9050000, 0, 0x20000)
            .end();
    t.begin("display").cells("phandle", DISPLAY);
    t.cells("iommus", SMMU, 0x55, 0xff, SMMU, 0x66, 0xff).end();
    t.begin("codec").cells("phandle", CODEC).end();
    return host(t)
        .cells("iommu-map", 0, SMMU, 0x1000, 0x1000)
        .begin("nic@2,1")
        .cells("phandle", NIC)
        .cells("reg", 0x1100, 0, 0, 0, 0)
        .end()
        .end()
        .begin("reserved-memory")
        .cells("#address-cells", 2)
        .cells("#size-cells", 2)
        .flag("ranges");
  }

  @Test
  @DisplayName(
      "several entries, each in the cells of its device's bus: a function's own, a device's StreamIDs")
  void several() throws IOException {
    MachineDescription m =
        read(
            machine()
                .begin("fb@90000000")
                .cells("reg", 0, 0x9000_0000L, 0, 0x1_0000)
                .cells(
                    "iommu-addresses",
                    NIC,
                    0x200_0000,
                    0,
                    0x9000_0000L,
                    0,
                    0x1_0000,
                    DISPLAY,
                    1,
                    0,
                    0,
                    0x2_0000)
                .end()
                .begin("off")
                .text("status", "disabled")
                .cells("iommu-addresses", DISPLAY, 0, 0, 0, 0x1000)
                .end()
                .end());
    assertEquals(List.of(), m.oddities());
    assertEquals(2, m.reserved().size());
    MachineDescription.Reservation function = m.reserved().get(0);
    assertEquals(List.of(Sbdf.parse("0000:00:02.1")), function.functions());
    assertEquals(Optional.empty(), function.iommu());
    assertEquals(ReservedRegion.Kind.DIRECT, function.region().kind());
    assertEquals(0x9000_0000L, function.region().range().start());
    MachineDescription.Reservation device = m.reserved().get(1);
    assertEquals(ReservedRegion.Kind.RESERVED, device.region().kind());
    assertEquals(0x1_0000_0000L, device.region().range().start());
    assertEquals(0x2_0000, device.region().range().bytes());
    assertEquals(
        List.of(
            new MachineDescription.StreamRange(0x55, 0x55),
            new MachineDescription.StreamRange(0x66, 0x66)),
        device.streamIds());
  }

  @Test
  @DisplayName("a device without IOMMU, a phandle of nobody, and an entry that is cut are told")
  void refused() throws IOException {
    MachineDescription m =
        read(
            machine()
                .begin("one")
                .cells("iommu-addresses", CODEC, 0, 0x1000, 0, 0x1000)
                .end()
                .begin("two")
                .cells("iommu-addresses", 99, 0, 0x1000, 0, 0x1000)
                .end()
                .begin("three")
                .cells("iommu-addresses", DISPLAY, 0, 0x1000, 0)
                .end()
                .end());
    assertEquals(List.of(), m.reserved());
    assertEquals(
        List.of(
            "/codec has reserved IOVAs and no IOMMU",
            "iommu-addresses of /reserved-memory/two has phandle 0x63, which no node has",
            "property of 4 cells has no cell 4"),
        m.oddities().stream().map(o -> o.message()).toList());
  }
}
