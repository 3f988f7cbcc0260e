package dev.doorbell.host;

import dev.doorbell.vmsa.Stage;
import java.util.Optional;

/// How a host starts its drivers.
///
/// @param stage which stage of an SMMU translates; empty for stage 1 where it is implemented. Of a VT-d unit 1 is the first stage, in scalable
/// mode; else the second, in legacy mode. Of an AMD IOMMU 1 is guest page tables (version 2), else the host's. Of a RISC-V IOMMU 2
/// is the second stage, else the first
public record HostOptions(Optional<Stage> stage) {
  /// Each driver as it does by itself.
  public static final HostOptions USUAL = new HostOptions(Optional.empty());

  /// {@return the same with a stage chosen}
  ///
  /// @param number 1 or 2
  /// @throws IllegalArgumentException when it is neither
  public HostOptions withStage(int number) {
    return switch (number) {
      case 1 -> new HostOptions(Optional.of(Stage.STAGE1));
      case 2 -> new HostOptions(Optional.of(Stage.STAGE2));
      default -> throw new IllegalArgumentException("there are stages 1 and 2, not " + number);
    };
  }
}
