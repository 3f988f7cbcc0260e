package dev.doorbell.hw.smmuv3;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import dev.doorbell.vmsa.Stage;
import java.util.List;
import java.util.Optional;

/// The hardware lacks something that the driver cannot do without.
public final class SmmuUnsupportedException extends SmmuException {
  private static final long serialVersionUID = 1L;

  /// @param register the identification register
  /// @param value its content
  /// @param lacks what is missing
  public SmmuUnsupportedException(String smmu, String register, long value, String lacks) {
    this(
        smmu,
        register,
        value,
        lacks,
        "choose a function behind another IOMMU; docs/caveats.md lists what the driver needs");
  }

  private SmmuUnsupportedException(
      String smmu, String register, long value, String lacks, String advice) {
    super(
        new Refusal(
            "SmmuUnsupportedException",
            "%s cannot be driven: %s is 0x%x, %s".formatted(smmu, register, value, lacks),
            Optional.empty(),
            Optional.empty(),
            List.of(smmu, register),
            Source.rule(register + " of " + smmu),
            advice));
  }

  /// {@return the refusal of a stage that was asked for, where the hardware has the other one}
  ///
  /// @param idr0 content of SMMU_IDR0
  static SmmuUnsupportedException noStage(String smmu, long idr0, Stage asked, Stage has) {
    return new SmmuUnsupportedException(
        smmu,
        "SMMU_IDR0",
        idr0,
        asked + " is not implemented",
        "let the driver choose the stage: of this SMMU it takes " + has);
  }
}
