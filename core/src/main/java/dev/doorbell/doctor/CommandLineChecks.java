package dev.doorbell.doctor;

import dev.doorbell.explain.Source;

/// What the kernel's command line says about IOMMUs, interrupts and isolation.
///
/// **Source**: Linux 6.12 `Documentation/admin-guide/kernel-parameters.txt`; `pcie_acs_override` and `relax_rmrr` are patches that some distributions carry.
final class CommandLineChecks implements Checks {
  @Override
  public void check(Evidence e, Chart chart) {
    CommandLine line = e.commandLine();
    if (!line.seen()) {
      chart.unseen(
          "cmdline",
          "the kernel's command line: it may turn the IOMMU or interrupt remapping off",
          line.source(),
          Evidence.give("proc/cmdline"));
      return;
    }
    turnedOff(e, line, chart);
    interrupts(e, line, chart);
    isolation(e, line, chart);
    others(line, chart);
  }

  private static void turnedOff(Evidence e, CommandLine line, Chart chart) {
    Source at = line.source();
    if (line.has("iommu", "off") && e.isX86()) {
      off(chart, "iommu=off", "no IOMMU is used", BootLoader.without(e, "iommu=off"), at);
    }
    if (line.has("intel_iommu", "off") && e.tables().has("DMAR")) {
      off(chart, "intel_iommu=off", "VT-d is not used", BootLoader.with(e, "intel_iommu=on"), at);
    }
    if (line.has("amd_iommu", "off") && e.tables().has("IVRS")) {
      off(chart, "amd_iommu=off", "AMD-Vi is not used", BootLoader.without(e, "amd_iommu=off"), at);
    }
    if (line.value("acpi").map("off"::equals).orElse(false)) {
      off(
          chart,
          "acpi=off",
          "the kernel does not read the tables that describe IOMMU and interrupt controllers",
          BootLoader.without(e, "acpi=off"),
          at);
    }
    if (line.has("pci", "nomsi")) {
      off(chart, "pci=nomsi", "no function gets MSI", BootLoader.without(e, "pci=nomsi"), at);
    }
    if (line.has("intel_iommu", "igfx_off")) {
      chart.warns(
          "cmdline.igfx",
          "intel_iommu=igfx_off: the graphics unit that is integrated in the processor is not behind its IOMMU and cannot be assigned",
          at,
          "remove igfx_off from intel_iommu=");
    }
    if (line.has("amd_iommu", "on")) {
      chart.warns(
          "cmdline.amd-iommu-on",
          "amd_iommu=on is no option that the kernel knows; AMD-Vi is on without it",
          at,
          "remove amd_iommu=on");
    }
    boolean passthrough =
        line.isOn("iommu.passthrough") || line.has("iommu", "pt") || line.has("intel_iommu", "pt");
    if (passthrough) {
      chart.fine(
          "cmdline.passthrough",
          "host drivers bypass translation (iommu.passthrough=1 or iommu=pt); assigned functions are translated all the same",
          at);
    }
  }

  private static void off(Chart chart, String what, String so, String cure, Source at) {
    chart.blocks("cmdline.off", what + " on the kernel's command line: " + so, at, cure);
  }

  private static void interrupts(Evidence e, CommandLine line, Chart chart) {
    if (line.has("intremap", "nosid")) {
      chart.unsafe(
          "cmdline.nosid",
          "intremap=nosid: entries of the remapping table do not check which function an interrupt comes from, so an assigned function can raise others' vectors",
          line.source(),
          "remove intremap=nosid from the kernel's command line");
    }
    if (line.isOn("vfio.enable_unsafe_noiommu_mode")
        || e.modules()
            .parameter("vfio", "enable_unsafe_noiommu_mode")
            .map("Y"::equals)
            .orElse(false)) {
      boolean sysfs = e.modules().parameter("vfio", "enable_unsafe_noiommu_mode").isPresent();
      chart.unsafe(
          "vfio.noiommu",
          "VFIO's no-IOMMU mode is on: a user-space driver that is given such a function reaches all of memory through it; guests cannot use it, as nothing translates",
          sysfs ? Source.file(Modules.path("vfio", "enable_unsafe_noiommu_mode")) : line.source(),
          "echo 0 > /sys/module/vfio/parameters/enable_unsafe_noiommu_mode");
    }
  }

  private static void isolation(Evidence e, CommandLine line, Chart chart) {
    boolean patched =
        e.log().first("PCIe ACS overrides enabled").isPresent()
            || e.log().first("ACS overrides").isPresent();
    if (line.value("pcie_acs_override").isPresent()) {
      if (patched || !e.log().whole()) {
        chart.unsafe(
            "cmdline.acs-override",
            "pcie_acs_override=%s: groups are smaller than the hardware isolates, and functions of different groups can reach each other's BARs past the IOMMU"
                .formatted(line.value("pcie_acs_override").orElse("")),
            line.source(),
            "remove pcie_acs_override and assign whole groups, or use a slot whose ports have ACS");
      } else {
        chart.warns(
            "cmdline.acs-override",
            "pcie_acs_override has no effect: this kernel does not carry that patch (its log has no line of it)",
            line.source(),
            "remove pcie_acs_override from the kernel's command line");
      }
    }
    if (line.has("intel_iommu", "relax_rmrr")) {
      chart.unsafe(
          "cmdline.relax-rmrr",
          "intel_iommu=relax_rmrr: functions whose memory firmware goes on using are assigned all the same",
          line.source(),
          "remove relax_rmrr, and turn off in the firmware's setup what uses the RMRR");
    }
    for (String driver : new String[] {"arm-smmu-v3", "arm-smmu"}) {
      if (line.isOff(driver + ".disable_bypass")) {
        chart.unsafe(
            "cmdline.bypass",
            driver
                + ".disable_bypass=0: streams that no domain is attached to reach memory untranslated",
            line.source(),
            "remove " + driver + ".disable_bypass=0");
      }
    }
  }

  private static void others(CommandLine line, Chart chart) {
    if (line.has("efi", "disable_early_pci_dma")) {
      chart.fine(
          "cmdline.early-dma",
          "efi=disable_early_pci_dma: bus mastering stays off until the IOMMU is set up",
          line.source());
    }
    if (line.has("pci", "nommconf")) {
      chart.warns(
          "cmdline.nommconf",
          "pci=nommconf: extended configuration space is not reached, so ACS is not seen and groups are larger",
          line.source(),
          "remove pci=nommconf");
    }
    line.value("vfio-pci.ids")
        .ifPresent(ids ->
            chart.fine(
                "cmdline.vfio-ids",
                "vfio-pci takes functions with id %s while the kernel starts".formatted(ids),
                line.source()));
  }
}
