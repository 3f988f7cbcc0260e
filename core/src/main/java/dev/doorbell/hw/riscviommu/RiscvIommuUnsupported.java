package dev.doorbell.hw.riscviommu;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// The hardware lacks something that the driver cannot do without.
public final class RiscvIommuUnsupported extends RiscvIommuException {
  private static final long serialVersionUID = 1L;

  /// @param register what tells
  /// @param value its content
  /// @param lacks what is missing
  public RiscvIommuUnsupported(String iommu, String register, long value, String lacks) {
    super(
        new Refusal(
            "RiscvIommuUnsupported",
            "%s cannot be driven: %s is 0x%x, %s".formatted(iommu, register, value, lacks),
            Optional.empty(),
            Optional.empty(),
            List.of(iommu, register),
            Source.rule(register + " of " + iommu),
            "choose a function behind another IOMMU; docs/caveats.md lists what the driver needs"));
  }
}
