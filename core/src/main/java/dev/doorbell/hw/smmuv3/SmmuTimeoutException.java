package dev.doorbell.hw.smmuv3;

/// A register did not take the value that was waited for.
public final class SmmuTimeoutException extends SmmuException {
  private static final long serialVersionUID = 1L;

  public SmmuTimeoutException(String smmu, String waitedFor, long last, int polls) {
    super(
        "%s: %s did not come about within %d reads; the last one was 0x%x; the SMMU must be reset"
            .formatted(smmu, waitedFor, polls, last));
  }
}
