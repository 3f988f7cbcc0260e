package dev.doorbell.hw.smmuv2;

import dev.doorbell.vmsa.Stage;
import java.util.Optional;

/// How a driver is set up.
///
/// @param stage which stage to use; empty for stage 1 where it is implemented
/// @param streamMask bits of a StreamID that tell nothing of who sends (a device tree's `stream-match-mask`)
/// @param polls how many register reads a wait lasts at most
public record SmmuV2Settings(Optional<Stage> stage, int streamMask, int polls) {
  private static final int POLLS = 1_000_000;

  /// Stage 1 where it is implemented, every bit of a StreamID, a million reads.
  public static final SmmuV2Settings USUAL = new SmmuV2Settings(Optional.empty(), 0, POLLS);

  /// {@return these settings with a stage chosen}
  public SmmuV2Settings with(Stage chosen) {
    return new SmmuV2Settings(Optional.of(chosen), streamMask, polls);
  }

  /// {@return these settings with bits of StreamIDs left out}
  public SmmuV2Settings withStreamMask(int mask) {
    return new SmmuV2Settings(stage, mask, polls);
  }
}
