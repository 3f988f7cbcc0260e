package dev.doorbell.hw.smmuv3;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// The hardware lacks something that the driver cannot do without.
public final class SmmuUnsupportedException extends SmmuException {
  private static final long serialVersionUID = 1L;

  /// @param register the identification register
  /// @param value its content
  /// @param lacks what is missing
  public SmmuUnsupportedException(String smmu, String register, long value, String lacks) {
    super(
        new Refusal(
            "SmmuUnsupportedException",
            "%s cannot be driven: %s is 0x%x, %s".formatted(smmu, register, value, lacks),
            Optional.empty(),
            Optional.empty(),
            List.of(smmu, register),
            Source.rule(register + " of " + smmu),
            "choose a function behind another IOMMU; docs/caveats.md lists what the driver needs"));
  }
}
