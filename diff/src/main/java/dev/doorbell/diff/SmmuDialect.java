package dev.doorbell.diff;

import dev.doorbell.hw.smmuv3.SmmuFeatures;
import java.util.Set;

/// How the other machine's SMMU is known to differ.
///
/// @param features what both have
/// @param quirks known differences
record SmmuDialect(SmmuFeatures features, Set<SmmuQuirk> quirks) {
  SmmuDialect {
    quirks = Set.copyOf(quirks);
  }
}
