package dev.doorbell.hw.riscviommu;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// The IOMMU did not execute a command.
public final class RiscvIommuCommandRefused extends RiscvIommuException {
  private static final long serialVersionUID = 1L;

  /// @param error the bit of `cqcsr` that tells: `cqmf`, `cmd_to` or `cmd_ill`
  /// @param index the command's place in the queue
  RiscvIommuCommandRefused(String iommu, RiscvIommuCommand command, String error, int index) {
    super(
        new Refusal(
            "RiscvIommuCommandRefused",
            "%s did not execute command %d, %s: cqcsr.%s".formatted(iommu, index, command, error),
            Optional.empty(),
            Optional.empty(),
            List.of(iommu, command.toString()),
            Source.rule("cqcsr of " + iommu),
            "reset the IOMMU if it happens again; what the command should have changed is taken back where it can be"));
  }
}
