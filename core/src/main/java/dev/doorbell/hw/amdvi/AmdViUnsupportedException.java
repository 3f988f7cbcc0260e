package dev.doorbell.hw.amdvi;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// The hardware lacks something that the driver cannot do without.
public final class AmdViUnsupportedException extends AmdViException {
  private static final long serialVersionUID = 1L;

  /// @param features content of ExtFeature
  /// @param lacks what is missing, and for what
  AmdViUnsupportedException(String iommu, long features, String lacks) {
    this(
        iommu,
        features,
        lacks,
        "choose a function behind another IOMMU; docs/caveats.md lists what the driver needs");
  }

  private AmdViUnsupportedException(String iommu, long features, String lacks, String advice) {
    super(
        new Refusal(
            "AmdViUnsupportedException",
            "%s cannot be driven: ExtFeature is 0x%x, %s".formatted(iommu, features, lacks),
            Optional.empty(),
            Optional.empty(),
            List.of(iommu, "ExtFeature"),
            Source.rule("ExtFeature of " + iommu),
            advice));
  }

  /// {@return that there are no page tables of stage 1}
  static AmdViUnsupportedException withoutGuestTables(String iommu, long features) {
    return new AmdViUnsupportedException(
        iommu,
        features,
        "without GTSup and GIoSup for guest page tables of its own",
        "ask for stage 2, the host's page tables, or for no stage");
  }
}
