package dev.doorbell.hw.smmuv2;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// Invalidations did not come to an end.
public final class SmmuV2Timeout extends SmmuV2Exception {
  private static final long serialVersionUID = 1L;

  SmmuV2Timeout(String smmu, String waitedFor, long last, int polls) {
    super(
        new Refusal(
            "SmmuV2Timeout",
            "%s: %s did not come about within %d reads; the last one was 0x%x"
                .formatted(smmu, waitedFor, polls, last),
            Optional.empty(),
            Optional.empty(),
            List.of(smmu),
            Source.rule("registers of " + smmu),
            "reset the SMMU; what it was told of last may or may not be in force"));
  }
}
