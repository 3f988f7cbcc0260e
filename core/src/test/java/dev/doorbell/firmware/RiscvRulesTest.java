package dev.doorbell.firmware;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.description.AplicDescription;
import dev.doorbell.description.Arch;
import dev.doorbell.description.HostBridge;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.description.MsiControllerDescription.Imsic;
import dev.doorbell.description.WireSignal;
import dev.doorbell.explain.Unseen;
import dev.doorbell.testkit.Shared;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName(
    "RISC-V machines: interrupt files of harts, IOMMUs and device_ids of ACPI and device trees")
class RiscvRulesTest {
  private static final String TABLES = "sys/firmware/acpi/tables/";
  private static final long SUPERVISOR = 9;
  private static final long MACHINE = 11;

  @TempDir Path folder;

  private void write(String name, byte[] bytes) throws IOException {
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    Files.write(file, bytes);
  }

  private MachineDescription read() {
    return Firmware.read(Sysroot.open(folder));
  }

  private static MachineDescription captured(String name) {
    return Firmware.read(Sysroot.open(Shared.require(name)));
  }

  private static Imsic imsic(MachineDescription m) {
    return m.msiControllers().stream()
        .filter(Imsic.class::isInstance)
        .map(Imsic.class::cast)
        .filter(i -> !i.machineLevel())
        .findFirst()
        .orElseThrow();
  }

  private static OptionalInt deviceId(MachineDescription m, int rid) {
    for (HostBridge.StreamMapping s : m.hostBridges().getFirst().streams()) {
      if (s.streamOf(rid).isPresent()) {
        return s.streamOf(rid);
      }
    }
    return OptionalInt.empty();
  }

  private static Bytes rintc(Bytes b, int flags, long hart, long base, long size) {
    return b.u8(0x18, 36, 1, 0).u32(flags).u64(hart).u32(hart, 0).u64(base).u32(size);
  }

  private void madt(Bytes structures) throws IOException {
    write(TABLES + "APIC", Bytes.table("APIC", 7, structures));
  }

  private void mcfg() throws IOException {
    write(
        TABLES + "MCFG",
        Bytes.table("MCFG", 1, new Bytes().u64(0).u64(0x3000_0000L).u16(0).u8(0, 255).u32(0)));
  }

  @Test
  @DisplayName(
      "RIMT 1.0 2.1, 2.2: ids of the root complex lead to the IOMMU's device_ids; an IOMMU that is a function is not behind itself")
  void rimt() throws IOException {
    madt(
        rintc(rintc(new Bytes().u32(0, 0), 1, 5, 0x2800_0000L, 0x4000), 0, 6, 0x2800_4000L, 0x4000)
            .u8(0x19, 16, 1, 0)
            .u32(0)
            .u16(255, 63)
            .u8(2, 1, 0, 24));
    mcfg();
    Bytes nodes = new Bytes().u32(2, 48, 0);
    nodes.u8(0, 1).u16(40, 0, 0).text("RSCV0004").u64(0).u32(1, 0).u16(0, 0x8, 0, 40);
    nodes.u8(1, 1).u16(20 + 2 * 20, 0, 1).u32(0).u16(0, 0, 20, 2);
    nodes.u32(0, 0x100, 0x40_0000, 48, 0);
    nodes.u32(0x100, 0xff00, 0x100, 48, 0);
    write(TABLES + "RIMT", Bytes.table("RIMT", 1, nodes));
    MachineDescription m = read();
    assertEquals(Arch.RISCV64, m.arch());
    assertEquals(List.of(), m.oddities());
    IommuDescription i = m.iommus().getFirst();
    assertEquals(Optional.of("0000:00:01.0"), i.ownFunction());
    assertEquals(OptionalInt.of(0x40_0007), deviceId(m, 7));
    assertEquals(OptionalInt.empty(), deviceId(m, 8));
    assertEquals(OptionalInt.of(0x40_0009), deviceId(m, 9));
    assertEquals(OptionalInt.of(0x123), deviceId(m, 0x123));
    Imsic files = imsic(m);
    assertEquals(1, files.files().size(), "a hart that cannot be used has no file");
    assertEquals(5, files.files().getFirst().hart());
    assertEquals(255, files.identities());
    assertEquals(new Imsic.Index(2, 1, 0, 24), files.index());
    assertTrue(files.answersAt(0x2800_3fff), "guests' files are its registers too");
    assertTrue(m.hostBridges().getFirst().msis().getFirst().controllers().contains(files.id()));
  }

  @Test
  @DisplayName(
      "RIMT: mappings to nowhere, of too many bits and outside their node are oddities, and the rest is read")
  void damagedRimt() throws IOException {
    madt(rintc(new Bytes().u32(0, 0), 1, 0, 0x2800_0000L, 0x1000));
    mcfg();
    Bytes nodes = new Bytes().u32(3, 48, 0);
    nodes.u8(0, 1).u16(40, 0, 0).text("RSCV0002").u64(0x301_0000L).u32(0, 0).u16(0, 0, 0, 40);
    nodes.u8(1, 1).u16(20 + 3 * 20, 0, 1).u32(0).u16(0, 0, 20, 4);
    nodes.u32(0, 0x10, 0, 44, 0);
    nodes.u32(0x10, 0x10, 0xff_fff8L, 48, 0);
    nodes.u32(0x20, 0x10, 0, 48, 0);
    write(TABLES + "RIMT", Bytes.table("RIMT", 1, nodes));
    MachineDescription m = read();
    assertEquals(OptionalInt.empty(), deviceId(m, 0));
    assertEquals(OptionalInt.empty(), deviceId(m, 0x10));
    assertEquals(OptionalInt.of(0), deviceId(m, 0x20));
    String odd = m.oddities().toString();
    assertTrue(odd.contains("no IOMMU is"), odd);
    assertTrue(odd.contains("24 bits"), odd);
    assertTrue(odd.contains("mapping 3 lies outside"), odd);
    assertTrue(odd.contains("states 3 nodes"), odd);
  }

  @Test
  @DisplayName(
      "a machine with a PLIC only has no MSI controller, and the reason is told with its place")
  void wiresOnly() throws IOException {
    TreeBuilder t = TreeBuilder.machine();
    t.begin("cpus").begin("cpu@0").text("compatible", "riscv").cells("reg", 0, 0).end().end();
    t.begin("plic@c000000")
        .text("compatible", "sifive,plic-1.0.0")
        .cells("reg", 0, 0xc00_0000, 0, 0x60_0000);
    write("sys/firmware/fdt", t.end().end().build());
    MachineDescription m = read();
    assertEquals(List.of(), m.msiControllers());
    assertTrue(
        m.oddities().stream()
            .anyMatch(o ->
                o.message().contains("/plic@c000000")
                    && !o.mayHideFacts()
                    && o.source().toString().contains("fdt+")),
        m.oddities().toString());
  }

  @Test
  @DisplayName("a MADT with a PLIC and no IMSIC says the same")
  void plicOfAcpi() throws IOException {
    madt(
        rintc(new Bytes().u32(0, 0), 1, 0, 0, 0)
            .u8(0x1b, 36, 1, 0)
            .text("        ")
            .u16(96, 7)
            .u32(0, 0x60_0000)
            .u64(0xc00_0000L)
            .u32(0));
    mcfg();
    MachineDescription m = read();
    assertEquals(List.of(), m.msiControllers());
    assertTrue(m.oddities().toString().contains("PLIC takes wired"), m.oddities().toString());
    assertTrue(m.unseen().stream().noneMatch(u -> u.hides().contains(Unseen.Hidden.IOMMUS)));
    Files.createDirectories(folder.resolve("sys/kernel/iommu_groups/0/devices"));
    assertTrue(
        read().unseen().stream().anyMatch(u -> u.hides().contains(Unseen.Hidden.IOMMUS)),
        "a kernel with groups had an IOMMU, whatever tables were captured");
  }

  @Test
  @DisplayName(
      "riscv,imsics: figures that no IMSIC can have are oddities, parents without a page too")
  void imsicFigures() throws IOException {
    TreeBuilder t = TreeBuilder.machine();
    t.begin("cpus").begin("cpu@7").text("compatible", "riscv").cells("reg", 0, 7);
    t.begin("interrupt-controller").cells("phandle", 1).end().end().end();
    t.begin("imsics@28000000").text("compatible", "riscv,imsics").flag("msi-controller");
    t.cells("reg", 0, 0x2800_0000, 0, 0x1000).cells("riscv,num-ids", 4096);
    t.cells("riscv,guest-index-bits", 9).cells("interrupts-extended", 1, SUPERVISOR, 1, SUPERVISOR);
    write("sys/firmware/fdt", t.end().end().build());
    MachineDescription m = read();
    Imsic i = imsic(m);
    assertEquals(63, i.identities());
    assertEquals(1, i.files().size());
    assertEquals(7, i.files().getFirst().hart());
    assertEquals(3, m.oddities().size(), m.oddities().toString());
  }

  private static TreeBuilder tree(long index) {
    TreeBuilder t = TreeBuilder.machine();
    t.begin("cpus");
    for (int cpu = 0; cpu < 2; cpu++) {
      t.begin("cpu@" + cpu).text("compatible", "riscv").cells("reg", 0, cpu);
      t.begin("interrupt-controller").cells("phandle", 1 + cpu).end().end();
    }
    t.end();
    t.begin("imsics@28000000").text("compatible", "riscv,imsics").flag("msi-controller");
    t.cells("reg", 0, 0x2800_0000, 0, 0x2000).cells("riscv,num-ids", 255);
    t.cells("riscv,hart-index-bits", index).cells("phandle", 3);
    return t.cells("interrupts-extended", 1, SUPERVISOR, 2, SUPERVISOR).end();
  }

  private static TreeBuilder aplic(TreeBuilder t, String at, long phandle, long sources) {
    t.begin("aplic@" + at).text("compatible", "riscv,aplic").cells("phandle", phandle);
    t.cells("reg", 0, Long.parseLong(at, 16), 0, 0x8000).cells("msi-parent", 3);
    return t.cells("#interrupt-cells", 2).cells("riscv,num-sources", sources);
  }

  @Test
  @DisplayName(
      "riscv,aplic: those of a msi-parent, with the signals that interrupts, interrupts-extended and interrupt-map tell")
  void aplics() throws IOException {
    TreeBuilder t = tree(1);
    aplic(t, "d000000", 10, 96).end();
    aplic(t, "d008000", 11, 1024).end();
    aplic(t, "d010000", 12, 8).text("status", "disabled").end();
    aplic(t, "d018000", 13, 32).end();
    t.cells("interrupt-parent", 10);
    t.begin("uart@10000000").cells("interrupts", 10, 1, 11, 8).end();
    t.begin("rtc@101000").cells("interrupts-extended", 13, 7, 2, 10, 12, 2).end();
    t.begin("odd@1").cells("interrupts", 13, 0, 14).end();
    t.begin("nexus").cells("#address-cells", 3).cells("#interrupt-cells", 1);
    t.cells("interrupt-map", 0, 0, 0, 1, 10, 32, 8, 0, 0, 0, 2, 10, 33, 4).end();
    write("sys/firmware/fdt", t.end().build());
    MachineDescription m = read();
    List<AplicDescription> all = imsic(m).aplics();
    assertEquals(List.of(0, 1), all.stream().map(AplicDescription::number).toList());
    assertEquals(List.of(96, 32), all.stream().map(AplicDescription::sources).toList());
    AplicDescription first = all.getFirst();
    assertEquals(new WireSignal(false, false), first.signal(10));
    assertEquals(new WireSignal(true, true), first.signal(11));
    assertEquals(new WireSignal(true, false), first.signal(12));
    assertEquals(WireSignal.HIGH, first.signal(13), "a type that is none");
    assertEquals(new WireSignal(true, true), first.signal(32));
    assertEquals(Map.of(7, new WireSignal(true, false)), all.get(1).told());
    assertTrue(m.oddities().toString().contains("/aplic@d008000 has 1024 sources"));
    assertTrue(first.source().toString().contains("fdt+"), first::toString);
  }

  @Test
  @DisplayName(
      "riscv,imsics of machine level are read and named, and no device is led to them, whatever msi-parent or msi-map says")
  void machineLevel() throws IOException {
    TreeBuilder t = tree(1);
    t.begin("imsics@24000000").text("compatible", "riscv,imsics").flag("msi-controller");
    t.cells("reg", 0, 0x2400_0000, 0, 0x2000).cells("riscv,num-ids", 255).cells("phandle", 4);
    t.cells("interrupts-extended", 1, MACHINE, 2, MACHINE).end();
    for (int i = 0; i < 2; i++) {
      t.begin("pcie@" + i).text("compatible", "pci-host-ecam-generic").text("device_type", "pci");
      t.cells("reg", 0, 0x3000_0000 + (i << 28), 0, 0x1000_0000).cells("bus-range", 0, 255);
      t.cells("linux,pci-domain", i);
      t = i == 0 ? t.cells("msi-parent", 4, 3) : t.cells("msi-map", 0, 4, 0, 0x1_0000);
      t.end();
    }
    write("sys/firmware/fdt", t.end().build());
    MachineDescription m = read();
    Imsic machine = m.firmwareImsic().orElseThrow();
    assertEquals("imsic-m@0x24000000", machine.id());
    assertEquals(
        List.of(0x2400_0000L, 0x2400_1000L),
        machine.doorbells().stream().map(d -> d.address()).toList());
    assertEquals(2, m.hostBridges().size());
    assertEquals(
        List.of(imsic(m).id()), m.hostBridges().getFirst().msis().getFirst().controllers());
    assertEquals(List.of(), m.hostBridges().getLast().msis());
    String said = m.oddities().toString();
    assertTrue(said.contains("msi-parent of /pcie@0 is /imsics@24000000"), said);
    assertTrue(said.contains("msi-map of /pcie@1 leads to /imsics@24000000"), said);
    assertTrue(said.contains("of machine level, firmware's own"), said);
  }

  @Test
  @DisplayName("AIA 4.9.1: files that no hart index tells apart leave no APLIC")
  void alike() throws IOException {
    TreeBuilder t = tree(0);
    aplic(t, "d000000", 10, 96).end();
    write("sys/firmware/fdt", t.end().build());
    MachineDescription m = read();
    assertEquals(List.of(), imsic(m).aplics());
    assertTrue(m.oddities().toString().contains("no APLIC could tell them apart"));
  }

  @Test
  @DisplayName(
      "MADT APLIC: one with direct delivery sends no messages; a second of one id, too few bytes and no sources are oddities")
  void aplicsOfAcpi() throws IOException {
    Bytes b = rintc(new Bytes().u32(0, 0), 1, 0, 0x2800_0000L, 0x1000);
    b.u8(0x19, 16, 1, 0).u32(0).u16(255, 255).u8(0, 0, 0, 24);
    madt(
        aplic(
            aplic(
                aplic(aplic(aplic(b, 3, 0, 96, 0x8000), 4, 2, 96, 0x8000), 3, 0, 64, 0x8000),
                5,
                0,
                96,
                0x1000),
            6,
            0,
            0,
            0x8000));
    mcfg();
    MachineDescription m = read();
    List<AplicDescription> all = imsic(m).aplics();
    assertEquals(List.of(3), all.stream().map(AplicDescription::number).toList());
    assertEquals(96, all.getFirst().sources());
    assertEquals(3, m.oddities().size(), m.oddities().toString());
  }

  private static Bytes aplic(Bytes b, int id, int idcs, int sources, int bytes) {
    b.u8(0x1a, 36, 1, id).u32(0, 0, 0).u16(idcs, sources).u32(0);
    return b.u64(0xd00_0000L + 0x8000L * id).u32(bytes);
  }

  @Test
  @DisplayName(
      "qemu-virt-iommu-pci: eight harts in two groups, four pages each; the IOMMU's own id is a hole")
  void twoSockets() {
    MachineDescription m = captured("captures/riscv64/qemu-virt-iommu-pci");
    Imsic i = imsic(m);
    assertEquals(8, i.files().size());
    assertEquals(new Imsic.Index(2, 2, 1, 24), i.index());
    assertEquals(
        List.of(0x2800_0000L, 0x2800_4000L, 0x2800_8000L, 0x2800_c000L, 0x2900_0000L),
        i.files().stream().limit(5).map(f -> f.page().start()).toList());
    assertEquals(
        List.of(0L, 1L, 2L, 3L, 4L, 5L, 6L, 7L), i.files().stream().map(Imsic.File::hart).toList());
    assertEquals(8, i.doorbells().size());
    assertEquals(OptionalInt.of(7), deviceId(m, 7));
    assertEquals(OptionalInt.empty(), deviceId(m, 8));
    assertEquals(OptionalInt.of(9), deviceId(m, 9));
    assertTrue(m.msiControllers().stream().anyMatch(c -> c instanceof Imsic x && x.machineLevel()));
  }

  @Test
  @DisplayName(
      "qemu-virt-acpi-imsic: four harts of the MADT; no RIMT, and no group recorded, is no IOMMU")
  void acpi() {
    MachineDescription m = captured("captures/riscv64/qemu-virt-acpi-imsic");
    assertEquals(4, imsic(m).files().size());
    assertEquals(0x2800_3000L, imsic(m).files().getLast().page().start());
    assertEquals(255, imsic(m).identities());
    assertFalse(m.hostBridges().getFirst().msis().isEmpty());
    assertTrue(m.unseen().stream().noneMatch(u -> u.hides().contains(Unseen.Hidden.IOMMUS)));
  }

  @Test
  @DisplayName(
      "k3-pico-itx: eight harts of 64 pages each; machine level is firmware's and switched off")
  void spacemit() {
    MachineDescription m = captured("captures/riscv64/dt-k3-pico-itx");
    Imsic i = imsic(m);
    assertEquals(511, i.identities());
    assertEquals(
        List.of(0xe040_0000L, 0xe044_0000L),
        i.files().stream().limit(2).map(f -> f.page().start()).toList());
    assertEquals(1, m.msiControllers().size());
  }

  @Test
  @DisplayName(
      "boards with a PLIC whose bridges take messages themselves: known by name, and not isolated")
  void ownControllers() {
    for (String name : List.of("dt-mpfs-icicle-kit", "dt-hifive-unmatched-a00")) {
      MachineDescription m = captured("captures/riscv64/" + name);
      assertTrue(
          m.msiControllers().stream().allMatch(MsiControllerDescription.Other.class::isInstance),
          name + m.msiControllers());
      assertEquals(List.of(), m.iommus(), name);
    }
  }
}
