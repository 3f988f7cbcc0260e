package dev.doorbell.hw.smmuv3;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// A guest's entry or command asks for what is not the guest's, or what the SMMU has not. Nothing was written.
public final class SmmuGuestRefusedException extends SmmuException {
  private static final long serialVersionUID = 1L;

  private SmmuGuestRefusedException(String smmu, String what, String section, String advice) {
    super(
        new Refusal(
            "SmmuGuestRefusedException",
            "%s refuses a guest's %s".formatted(smmu, what),
            Optional.empty(),
            Optional.empty(),
            List.of(smmu),
            Source.rule(section),
            advice));
  }

  /// @param what the part of the entry that is refused
  /// @param word the guest's word
  /// @param bits those of it that are refused
  static SmmuGuestRefusedException entry(String smmu, String what, long word, long bits) {
    return new SmmuGuestRefusedException(
        smmu,
        "stream table entry: %s is 0x%x, of which 0x%x".formatted(what, word, bits),
        "IHI 0070 5.2",
        "tell the guest C_BAD_STE, and block the stream");
  }

  static SmmuGuestRefusedException command(String smmu, SmmuCommand command) {
    return new SmmuGuestRefusedException(
        smmu,
        "%s (0x%x 0x%x)".formatted(command.name(), command.w0(), command.w1()),
        "IHI 0070 4.3.7",
        "tell the guest CERROR_ILL where it is none of an SMMU's commands, else carry it out in the monitor");
  }
}
