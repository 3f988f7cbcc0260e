package dev.doorbell.doctor;

import dev.doorbell.description.Recorded;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// Whether the running kernel uses the IOMMU.
final class IommuChecks implements Checks {
  private static final String ID = "iommu.active";
  private static final String CLASS = "sys/class/iommu";
  private static final String GROUPS = "sys/kernel/iommu_groups";

  /// Lines by which kernels say that an IOMMU is there and will not be used.
  private static final List<String> FAILURES =
      List.of(
          "Your BIOS is broken; DMAR",
          "DMAR: Disable 4k page",
          "IOMMU initialization failed",
          "AMD-Vi: Disabling interrupt remapping",
          "AMD-Vi: IOMMU not currently supported",
          "AMD-Vi: Failed to get IVHD",
          "arm-smmu-v3: probe failed",
          "failed to probe arm-smmu",
          "probe with driver arm-smmu-v3 failed",
          "probe with driver arm-smmu failed");

  @Override
  public void check(Evidence e, Chart chart) {
    for (String failure : FAILURES) {
      e.log()
          .first(failure)
          .ifPresent(hit ->
              chart.warns(
                  "iommu.log",
                  "the kernel said: " + said(hit.text()),
                  hit.source(),
                  "update the firmware; the line names what the kernel did not accept"));
    }
    Optional<Boolean> runs = e.iommuRuns();
    if (runs.isEmpty()) {
      chart.unseen(
          ID,
          "whether the kernel uses an IOMMU: neither %s nor %s is there to be seen"
              .formatted(CLASS, GROUPS),
          Source.file(GROUPS),
          Evidence.give(CLASS + " and " + GROUPS));
    } else if (runs.get()) {
      active(e, chart);
    } else if (!chart.isBlocked()) {
      chart.blocks(
          ID,
          "the kernel uses no IOMMU, although firmware describes one: %s is empty"
              .formatted(e.iommusSeen() ? CLASS : GROUPS),
          Source.file(e.iommusSeen() ? CLASS : GROUPS),
          cure(e));
    }
  }

  private static void active(Evidence e, Chart chart) {
    List<Recorded.Group> groups = e.groups();
    String by = e.iommus().isEmpty() ? "" : " behind " + String.join(", ", e.iommus());
    Optional<BootLog.Hit> said = e.saidToRun();
    if (groups.isEmpty() && e.iommus().isEmpty() && said.isPresent()) {
      chart.fine(ID, "the kernel said: " + said(said.get().text()), said.get().source());
      return;
    }
    if (groups.isEmpty()) {
      chart.warns(
          ID,
          "the kernel runs%s, and no function has a group yet: on Arm a function gets one when a driver is bound"
              .formatted(by.isEmpty() ? " an IOMMU" : by.replace(" behind", "")),
          Source.file(CLASS),
          "bind vfio-pci to the function first, then look for its group");
      return;
    }
    chart.fine(
        ID,
        "the kernel has %d IOMMU group%s%s"
            .formatted(groups.size(), groups.size() == 1 ? "" : "s", by),
        Source.file(GROUPS));
  }

  private static String cure(Evidence e) {
    if (e.tables().has("DMAR")) {
      return BootLoader.with(e, "intel_iommu=on");
    }
    if (e.tables().has("IVRS")) {
      return "turn the IOMMU on in the firmware's setup, boot without amd_iommu=off, and see: dmesg | grep AMD-Vi";
    }
    return "see why its driver did not start: dmesg | grep -i -e smmu -e iommu";
  }

  static String said(String line) {
    return line.replaceFirst("^\\s*(<\\d+>)?\\s*\\[\\s*\\+?[\\d.]+\\]\\s*", "");
  }
}
