package dev.doorbell.hw.riscviommu;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// A guest's device context or command asks for what is not the guest's, or what the IOMMU has not. Nothing was written.
public final class RiscvIommuGuestRefused extends RiscvIommuException {
  private static final long serialVersionUID = 1L;

  private RiscvIommuGuestRefused(String iommu, String what, String section, String advice) {
    super(
        new Refusal(
            "RiscvIommuGuestRefused",
            "%s refuses a guest's %s".formatted(iommu, what),
            Optional.empty(),
            Optional.empty(),
            List.of(iommu),
            Source.rule(section),
            advice));
  }

  /// @param what the doubleword
  /// @param word the guest's
  /// @param bits those of it that are refused
  static RiscvIommuGuestRefused context(String iommu, String what, long word, long bits) {
    return new RiscvIommuGuestRefused(
        iommu,
        "device context: %s is 0x%x, of which 0x%x".formatted(what, word, bits),
        "RISC-V IOMMU 1.0, 2.1.4",
        "tell the guest cause 259 (DDT entry misconfigured), and block the device");
  }

  static RiscvIommuGuestRefused command(String iommu, RiscvIommuCommand command) {
    return new RiscvIommuGuestRefused(
        iommu,
        command.toString(),
        "RISC-V IOMMU 1.0, 4.1",
        "set the guest's cqcsr.cmd_ill where it is none of its IOMMU's commands, else carry it out in the monitor");
  }
}
