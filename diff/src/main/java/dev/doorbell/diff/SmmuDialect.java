package dev.doorbell.diff;

import dev.doorbell.hw.smmuv3.SmmuFeatures;
import dev.doorbell.hw.smmuv3.SmmuRegisters;
import dev.doorbell.qemu.QemuVersion;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.Set;

/// How the other machine's SMMU is known to differ.
///
/// @param features what both have
/// @param quirks known differences
record SmmuDialect(SmmuFeatures features, Set<SmmuQuirk> quirks) {
  /// Of 7.2: stage 1 alone.
  static final SmmuDialect QEMU_7_2 =
      new SmmuDialect(
          SmmuFeatures.qemu72(),
          EnumSet.complementOf(
              EnumSet.of(SmmuQuirk.IPA_WHOLE, SmmuQuirk.SILENT_IPA_SIZE, SmmuQuirk.STALL_REFUSED)));

  /// Of 10.0: two stages.
  static final SmmuDialect QEMU_10 =
      new SmmuDialect(
          SmmuFeatures.qemu10(),
          EnumSet.complementOf(
              EnumSet.of(SmmuQuirk.CLASS_ZERO, SmmuQuirk.NO_ACCESS_FLAG, SmmuQuirk.SECOND_TABLE)));

  private static final int FIRST_WITH_TWO_STAGES = 8;

  SmmuDialect {
    quirks = Set.copyOf(quirks);
  }

  static SmmuDialect of(QemuVersion version) {
    return version.major() < FIRST_WITH_TWO_STAGES ? QEMU_7_2 : QEMU_10;
  }

  /// {@return the same for devices that do not read}
  SmmuDialect ofWritesAlone() {
    Set<SmmuQuirk> less = new HashSet<>(quirks);
    less.remove(SmmuQuirk.TABLE_CACHED);
    return new SmmuDialect(features, less);
  }

  boolean hasStage2() {
    return SmmuRegisters.IDR0_S2P.isSet(features.idr0());
  }
}
