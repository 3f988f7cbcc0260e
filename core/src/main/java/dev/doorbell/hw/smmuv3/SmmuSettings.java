package dev.doorbell.hw.smmuv3;

import dev.doorbell.vmsa.Stage;
import java.util.Optional;

/// How a driver is set up.
///
/// @param tags the numbers shared by all SMMUs of the machine
/// @param stage which stage to use; empty for stage 1 where it is implemented
/// @param polls how many register reads a wait lasts at most
public record SmmuSettings(SmmuTags tags, Optional<Stage> stage, int polls) {
  private static final int POLLS = 1_000_000;

  /// {@return the usual: stage 1 where it is implemented, a million reads}
  public static SmmuSettings of(SmmuTags tags) {
    return new SmmuSettings(tags, Optional.empty(), POLLS);
  }

  /// {@return these settings with a stage chosen}
  public SmmuSettings with(Stage chosen) {
    return new SmmuSettings(tags, Optional.of(chosen), polls);
  }
}
