package dev.doorbell.hw.smmuv3;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// A register did not take the value that was waited for.
public final class SmmuTimeoutException extends SmmuException {
  private static final long serialVersionUID = 1L;

  public SmmuTimeoutException(String smmu, String waitedFor, long last, int polls) {
    super(
        new Refusal(
            "SmmuTimeoutException",
            "%s: %s did not come about within %d reads; the last one was 0x%x"
                .formatted(smmu, waitedFor, polls, last),
            Optional.empty(),
            Optional.empty(),
            List.of(smmu),
            Source.rule("registers of " + smmu),
            "reset the SMMU; what it was told of last may or may not be in force"));
  }
}
