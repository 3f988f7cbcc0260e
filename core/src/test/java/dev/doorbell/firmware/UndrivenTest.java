package dev.doorbell.firmware;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.Undriven;
import dev.doorbell.machine.EmbeddedMachine;
import dev.doorbell.machine.NotModelled;
import dev.doorbell.machine.UnusableDescription;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.plan.Conflict;
import dev.doorbell.plan.Plan;
import dev.doorbell.plan.PlanRequest;
import dev.doorbell.plan.Planner;
import dev.doorbell.plan.Subjects;
import dev.doorbell.survey.Survey;
import dev.doorbell.survey.WhatIf;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName(
    "bridges of POWER that are described and cannot be driven: plan and machine name the same reason")
class UndrivenTest {
  private static final long PAGE = 0x1000;
  private static final long GIB = 0x4000_0000;

  @TempDir Path folder;

  private MachineDescription read(TreeBuilder tree) throws IOException {
    Path file = Files.createDirectories(folder.resolve("sys/firmware")).resolve("fdt");
    Files.write(file, tree.end().build());
    return Firmware.read(Sysroot.open(folder));
  }

  /// A guest with one processor, or none, and host bridges each of which has a window of so many bytes.
  private static TreeBuilder guest(boolean processor, long bytes, long... liobns) {
    TreeBuilder t = TreeBuilder.machine().text("compatible", "IBM,pSeries").begin("cpus");
    if (processor) {
      t.begin("PowerPC,POWER9@0").cells("reg", 0).cells("ibm,ppc-interrupt-server#s", 0).end();
    }
    t.end()
        .begin("memory@0")
        .text("device_type", "memory")
        .cells("reg", 0, 0, 0, 0x4000_0000)
        .end();
    for (int i = 0; i < liobns.length; i++) {
      t.begin("pci@80000002000000" + i)
          .text("device_type", "pci")
          .text("compatible", "IBM,Logical_PHB")
          .cells("reg", 0x800_0000, 0x2000_0000L + i, 0, 0)
          .cells("#address-cells", 3)
          .cells("#size-cells", 2)
          .cells("ibm,#dma-address-cells", 2)
          .cells("ibm,#dma-size-cells", 2)
          .cells("ibm,dma-window", liobns[i], 0, 0, bytes >>> 32, bytes)
          .cells("ibm,pe-total-#msi", 16)
          .end();
    }
    return t;
  }

  /// A POWER8 of one host bridge with so many interrupts from 0x800 on, and a presentation controller or none.
  private static TreeBuilder power8(boolean server, long interrupts) {
    TreeBuilder t = TreeBuilder.machine().text("compatible", "ibm,powernv");
    if (server) {
      t.begin("interrupt-controller@3ffff80000000")
          .text("compatible", "IBM,power8-icp", "IBM,ppc-xicp")
          .cells("reg", 0x3_ffff, 0x8000_0000L, 0, PAGE)
          .cells("ibm,interrupt-server-ranges", 0, 1)
          .end();
    }
    return t.begin("pciex@3fffe40000000")
        .text("device_type", "pciex")
        .text("compatible", "ibm,power8-pciex", "ibm,ioda2-phb")
        .cells("reg", 0x3_fffe, 0x4000_0000, 0, PAGE)
        .cells("#address-cells", 3)
        .cells("#size-cells", 2)
        .cells("ibm,opal-msi-ranges", 0x800, interrupts)
        .end();
  }

  private static TreeBuilder power9(long... esb) {
    return TreeBuilder.machine()
        .text("compatible", "ibm,powernv")
        .begin("pciex@600c3c0000000")
        .text("device_type", "pciex")
        .text("compatible", "ibm,power9-pciex", "ibm,ioda3-phb")
        .cells("reg", esb)
        .cells("#address-cells", 3)
        .cells("#size-cells", 2)
        .cells("ibm,opal-msi-ranges", 0x100, 0x10)
        .end()
        .begin("interrupt-controller@6030203180000")
        .text("compatible", "ibm,opal-xive-pe", "ibm,opal-xive-vc")
        .cells("reg", 0x6_0302, 0x318_0000, 0, 0x1_0000)
        .end();
  }

  private static void refused(MachineDescription m, String function, String iommu, String why) {
    Sbdf sbdf = Sbdf.parse(function);
    Survey survey = Survey.of(new WhatIf(sbdf, 4, 0, true).addTo(m));
    Plan plan =
        new Planner(survey.machine())
            .plan(List.of(new Subjects(survey).of(sbdf).orElseThrow()), PlanRequest.DEFAULT);
    assertEquals(
        List.of("%s is behind %s, which cannot be driven: %s".formatted(function, iommu, why)),
        plan.conflicts().stream()
            .filter(c -> c.kind().equals("IommuNotDriven"))
            .map(Conflict::message)
            .toList());
    assertEquals(Plan.Answer.NO, plan.verdict().answer());
    assertEquals("%s cannot be driven: %s".formatted(iommu, why), Undriven.because(m, iommu));
  }

  private static void notModelled(MachineDescription m, String iommu, String why) {
    NotModelled e = assertThrows(NotModelled.class, () -> EmbeddedMachine.of(m));
    assertEquals("%s cannot be modelled: %s".formatted(iommu, why), e.getMessage());
    assertEquals(List.of(iommu), e.refusal().objects());
  }

  @Test
  @DisplayName("LoPAPR: no processor's number, a window of 32 GiB")
  void guests() throws IOException {
    MachineDescription none = read(guest(false, GIB, 1));
    String why = "firmware tells no number by which calls name a processor";
    refused(none, "0000:01:00.0", "tce@pci0000:00", why);
    notModelled(none, "tce@pci0000:00", why);
    MachineDescription large = read(guest(true, 32 * GIB, 1));
    String bytes =
        "its window [0x0, 0x7ffffffff] is not of whole pages and up to 0x400000000 bytes";
    refused(large, "0000:01:00.0", "tce@pci0000:00", bytes);
    notModelled(large, "tce@pci0000:00", bytes);
    assertEquals(List.of(), Undriven.of(read(guest(true, GIB, 1, 2))));
  }

  @Test
  @DisplayName("LoPAPR ibm,dma-window: of two windows with one LIOBN the first is driven")
  void sharedWindow() throws IOException {
    MachineDescription m = read(guest(true, GIB, 7, 7));
    refused(
        m,
        "0001:01:00.0",
        "tce@pci0001:00",
        "another has its window's number, LIOBN 0x7, or its host bridge's");
    assertEquals(1, Undriven.of(m).size());
    try (EmbeddedMachine machine = EmbeddedMachine.of(m)) {
      assertEquals(m, machine.description());
    }
  }

  @Test
  @DisplayName("skiboot hw/phb3.c: no presentation controller, more interrupts than an IVT has")
  void phb3() throws IOException {
    MachineDescription none = read(power8(false, 0x7f8));
    String why = "firmware describes no presentation controller (ICP) of a processor";
    refused(none, "0000:01:00.0", "phb3@pci0000:00", why);
    notModelled(none, "phb3@pci0000:00", why);
    refused(
        read(power8(true, 0x801)),
        "0000:01:00.0",
        "phb3@pci0000:00",
        "its 0x801 interrupts from 0x800 on are more than 0x800, or not from 1 to 0xffffff");
    assertEquals(List.of(), Undriven.of(read(power8(true, 0x7f8))));
  }

  @Test
  @DisplayName("skiboot hw/phb4.c: no pages of interrupts, and no interrupt controller")
  void phb4() throws IOException {
    refused(
        read(power9(0x6_00c3, 0xc000_0000L, 0, PAGE)),
        "0000:01:00.0",
        "phb4@pci0000:00",
        "firmware does not tell the pages (ESB) of its 0x18 interrupts, 0x180000 bytes");
    refused(
        read(power9(0x6_00c3, 0xc000_0000L, 0, PAGE, 0x6_00c4, 0, 0, 0x100_0000)),
        "0000:01:00.0",
        "phb4@pci0000:00",
        "firmware does not tell where its interrupt controller (XIVE) is");
    refused(
        read(power9(0x6_00c3, 0xc000_0000L, 0, 8)),
        "0000:01:00.0",
        "phb4@pci0000:00",
        "firmware does not tell its 0x1000 bytes of registers");
  }

  @Test
  @DisplayName(
      "a bank of RAM that no machine has is bad input, which names the bank and the property")
  void memory() throws IOException {
    List<List<Long>> banks =
        List.of(
            List.of(0L, 0L, 0x8000L, 0L),
            List.of(0L, 0L, 0xffff_ffffL, 0xffff_ffffL),
            List.of(0x100_0000L, 0L, 1L, 0L),
            List.of(0x8000_0000L, 0L, 1L, 0L));
    for (List<Long> bank : banks) {
      MachineDescription m =
          read(
              guest(true, GIB, 1)
                  .begin("memory@100000000")
                  .text("device_type", "memory")
                  .cells("reg", bank.stream().mapToLong(Long::longValue).toArray())
                  .end());
      UnusableDescription e = assertThrows(UnusableDescription.class, () -> EmbeddedMachine.of(m));
      assertTrue(
          e.getMessage()
              .endsWith("cannot be: a bank has less than 2^47 bytes and ends below 2^56"));
      assertEquals("sys/firmware/fdt", e.refusal().source().where());
    }
  }
}
