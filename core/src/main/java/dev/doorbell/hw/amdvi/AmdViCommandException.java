package dev.doorbell.hw.amdvi;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// The hardware stopped at a command. The buffer goes on: the command was replaced by one without effect and the buffer started again.
public final class AmdViCommandException extends AmdViException {
  private static final long serialVersionUID = 1L;

  private final String command;

  /// @param offset where it lies in the command buffer
  AmdViCommandException(String iommu, AmdViCommand found, long offset) {
    super(
        new Refusal(
            "AmdViCommandException",
            "%s stopped at %s (0x%016x 0x%016x at offset 0x%x of the command buffer)"
                .formatted(iommu, found.name(), found.w0(), found.w1(), offset),
            Optional.empty(),
            Optional.empty(),
            List.of(iommu, found.name()),
            Source.rule("Status.CmdBufRun of " + iommu),
            "the buffer goes on; if the command is right for this IOMMU's extended features, the IOMMU needs a reset"));
    this.command = found.name();
  }

  /// {@return the manual's name of the command}
  public String command() {
    return command;
  }
}
