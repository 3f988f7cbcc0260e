package dev.doorbell.hw.smmuv2;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// A guest's context bank or invalidation asks for what is not the guest's, or what the SMMU has not. Nothing was written.
public final class SmmuV2GuestRefused extends SmmuV2Exception {
  private static final long serialVersionUID = 1L;

  private SmmuV2GuestRefused(String smmu, String what, String section, String advice) {
    super(
        new Refusal(
            "SmmuV2GuestRefused",
            "%s refuses a guest's %s".formatted(smmu, what),
            Optional.empty(),
            Optional.empty(),
            List.of(smmu),
            Source.rule(section),
            advice));
  }

  /// @param register whose value is refused
  /// @param value the guest's
  /// @param bits those of it that are refused
  static SmmuV2GuestRefused context(String smmu, String register, long value, long bits) {
    return new SmmuV2GuestRefused(
        smmu,
        "context bank: %s is 0x%x, of which 0x%x".formatted(register, value, bits),
        "IHI 0062 16.5",
        "show the guest an SMMU without that feature, and block the stream");
  }

  static SmmuV2GuestRefused operation(String smmu, String register, long operand) {
    return new SmmuV2GuestRefused(
        smmu,
        "write of 0x%x to %s: it is no invalidation of stage 1".formatted(operand, register),
        "IHI 0062 4.5",
        "carry it out in the monitor");
  }
}
