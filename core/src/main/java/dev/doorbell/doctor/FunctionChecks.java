package dev.doorbell.doctor;

import dev.doorbell.description.IommuDescription;
import dev.doorbell.explain.Source;
import dev.doorbell.pci.MsiCapability;
import dev.doorbell.pci.MsixCapability;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.pci.Seen;
import dev.doorbell.survey.SurveyedFunction;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Whether functions have MSI at all, and what the kernel's log holds against single ones.
final class FunctionChecks implements Checks {
  /// Lines of the log that name a function and mean that it cannot be assigned, and what to do.
  private static final Map<String, String> REFUSALS =
      Map.of(
          "ineligible for IOMMU domain attach due to platform RMRR requirement",
          "turn off in the firmware's setup what uses the RMRR (on HP servers: the shared memory of iLO, by conrep or hp-rcu)",
          "rejecting configuring the device without a 1:1 mapping",
          "turn off in the firmware's setup what uses that memory, or ask the platform's vendor",
          "probe with driver vfio-pci failed",
          "see the lines before it in dmesg; error -22 means that the function is in no group, or that its IOMMU does not report cache coherency");

  private static final int MOST = 64;

  /// Base class and sub-class of an IOMMU.
  private static final int IOMMU_CLASS = 0x0806;

  @Override
  public void check(Evidence e, Chart chart) {
    List<Sbdf> without = new ArrayList<>();
    List<Sbdf> unseen = new ArrayList<>();
    List<SurveyedFunction> endpoints = e.endpoints();
    for (SurveyedFunction f : endpoints) {
      Seen<MsiCapability> msi = f.pci().msi();
      Seen<MsixCapability> msix = f.pci().msix();
      if (f.pci().isBridge()) {
        chart
            .about(List.of(f.sbdf()))
            .blocks(
                "function.bridge",
                f.sbdf() + " is a bridge: vfio-pci takes functions with header type 0 only",
                f.description().source(),
                "assign the functions behind it");
      } else if (isIommu(e, f)) {
        chart
            .about(List.of(f.sbdf()))
            .blocks(
                "function.iommu",
                f.sbdf() + " is an IOMMU itself: it stands before others, and is not assigned",
                f.description().source(),
                "assign a function behind it");
      } else if (!msi.isThere() && !msix.isThere()) {
        (msi.isNotVisible() || msix.isNotVisible() ? unseen : without).add(f.sbdf());
      }
      log(e, f, chart);
      held(e, f, chart);
    }
    capabilities(e, without, unseen, chart);
  }

  private static boolean isIommu(Evidence e, SurveyedFunction f) {
    String name = f.sbdf().toString();
    return f.pci().classCode() >>> Byte.SIZE == IOMMU_CLASS
        || e.machine().iommus().stream()
            .anyMatch(i ->
                switch (i) {
                  case IommuDescription.AmdVi a -> a.function().equals(name);
                  case IommuDescription.VirtioIommu v -> v.function().equals(Optional.of(name));
                  case IommuDescription.RiscvIommu r -> r.function().equals(Optional.of(name));
                  default -> false;
                });
  }

  private static void capabilities(Evidence e, List<Sbdf> without, List<Sbdf> unseen, Chart chart) {
    if (!without.isEmpty()) {
      chart
          .about(without)
          .blocks(
              "function.no-msi",
              "%d of %d functions have neither MSI nor MSI-X"
                  .formatted(without.size(), e.endpoints().size()),
              source(e, without.getFirst()),
              "assign functions that have one: these could raise no message");
    }
    if (!unseen.isEmpty()) {
      int bytes =
          e.survey().function(unseen.getFirst()).map(f -> f.pci().config().size()).orElse(0);
      chart
          .about(unseen)
          .unseen(
              "function.capabilities",
              "whether %d of %d functions have MSI: %s of their configuration space %s to be seen"
                  .formatted(
                      unseen.size(),
                      e.endpoints().size(),
                      bytes == 0 ? "nothing" : bytes + " bytes",
                      bytes == 0 ? "is" : "are"),
              source(e, unseen.getFirst()),
              bytes == 0
                  ? "see that sys/bus/pci/devices/*/config is there: doorbell capture takes it"
                  : e.asRoot("without privilege sysfs shows 64 bytes"));
    }
  }

  /// Of a function that was asked for by name: that the host loses it.
  private static void held(Evidence e, SurveyedFunction f, Chart chart) {
    String driver = f.description().driver().orElse("");
    if (e.asked().isEmpty() || driver.isEmpty() || e.isHarmless(f.description())) {
      return;
    }
    chart
        .about(List.of(f.sbdf()))
        .warns(
            "function.held",
            "%s is held by %s: binding it to vfio-pci takes it from the host, and stops what uses it"
                .formatted(f.sbdf(), driver),
            Source.file("sys/bus/pci/devices/" + f.sbdf() + "/driver"),
            GroupChecks.bind(List.of(f.sbdf())));
  }

  private static Source source(Evidence e, Sbdf sbdf) {
    return e.survey()
        .function(sbdf)
        .map(f -> f.description().source())
        .orElseGet(() -> Source.file("sys/bus/pci/devices"));
  }

  private static void log(Evidence e, SurveyedFunction f, Chart chart) {
    if (e.isHarmless(f.description())) {
      return;
    }
    for (Map.Entry<String, String> refusal : REFUSALS.entrySet()) {
      e.log().all(refusal.getKey(), MOST).stream()
          .filter(hit -> hit.text().contains(f.sbdf().toString()))
          .findFirst()
          .ifPresent(hit ->
              chart
                  .about(List.of(f.sbdf()))
                  .blocks(
                      "function.refused",
                      "the kernel said: " + IommuChecks.said(hit.text()),
                      hit.source(),
                      refusal.getValue()));
    }
  }
}
