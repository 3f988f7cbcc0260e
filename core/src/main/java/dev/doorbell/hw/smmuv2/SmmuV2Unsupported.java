package dev.doorbell.hw.smmuv2;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// The hardware lacks something that the driver, or a stream, cannot do without.
public final class SmmuV2Unsupported extends SmmuV2Exception {
  private static final long serialVersionUID = 1L;

  /// @param register the register that tells
  /// @param value its content
  /// @param lacks what is missing
  SmmuV2Unsupported(String smmu, String register, long value, String lacks) {
    super(
        new Refusal(
            "SmmuV2Unsupported",
            "%s cannot be driven so: %s is 0x%x, %s".formatted(smmu, register, value, lacks),
            Optional.empty(),
            Optional.empty(),
            List.of(smmu, register),
            Source.rule(register + " of " + smmu),
            "choose a function behind another IOMMU; docs/caveats.md lists what the driver needs"));
  }
}
