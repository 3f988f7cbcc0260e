package dev.doorbell.hw.riscviommu;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// A register did not take the value that was waited for.
public final class RiscvIommuTimeout extends RiscvIommuException {
  private static final long serialVersionUID = 1L;

  public RiscvIommuTimeout(String iommu, String waitedFor, long last, int polls) {
    super(
        new Refusal(
            "RiscvIommuTimeout",
            "%s: %s did not come about within %d reads; the last one was 0x%x"
                .formatted(iommu, waitedFor, polls, last),
            Optional.empty(),
            Optional.empty(),
            List.of(iommu),
            Source.rule("registers of " + iommu),
            "reset the IOMMU; what it was told of last may or may not be in force"));
  }
}
