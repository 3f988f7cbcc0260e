package dev.doorbell.hw.smmuv3;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// The hardware refused a command. The queue goes on: the command was replaced by a CMD_SYNC and the error acknowledged.
public final class SmmuCommandException extends SmmuException {
  private static final long serialVersionUID = 1L;

  private final String command;
  private final String error;

  /// @param command the manual's name of the command
  /// @param words its two words as they lie in the queue
  /// @param index where it lies in the queue
  /// @param error the manual's name of the error
  SmmuCommandException(String smmu, String command, SmmuCommand words, int index, String error) {
    super(
        new Refusal(
            "SmmuCommandException",
            "%s refused %s (0x%016x 0x%016x, entry %d of the command queue): %s"
                .formatted(smmu, command, words.w0(), words.w1(), index, error),
            Optional.empty(),
            Optional.empty(),
            List.of(smmu, command),
            Source.rule("SMMU_CMDQ_CONS.ERR of " + smmu),
            "the queue goes on; if the command is right for this SMMU's ID registers, the SMMU needs a reset"));
    this.command = command;
    this.error = error;
  }

  /// {@return the manual's name of the command}
  public String command() {
    return command;
  }

  /// {@return the manual's name of the error, such as `CERROR_ILL`}
  public String error() {
    return error;
  }
}
