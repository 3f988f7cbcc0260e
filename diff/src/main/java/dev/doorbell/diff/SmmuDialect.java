package dev.doorbell.diff;

import dev.doorbell.hw.smmuv3.SmmuFeatures;
import dev.doorbell.hw.smmuv3.SmmuRegisters;
import dev.doorbell.qemu.QemuVersion;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.Set;

/// How the other machine's SMMU is known to differ.
///
/// @param features what both have
/// @param quirks known differences
/// @param nested whether both stages can translate one stream
record SmmuDialect(SmmuFeatures features, Set<SmmuQuirk> quirks, boolean nested) {
  /// Of 7.2: stage 1 alone.
  static final SmmuDialect QEMU_7_2 =
      new SmmuDialect(
          SmmuFeatures.qemu72(),
          EnumSet.complementOf(
              EnumSet.of(
                  SmmuQuirk.CONTEXT_PTR_WHOLE,
                  SmmuQuirk.TTB_CUT_52,
                  SmmuQuirk.IPA_WHOLE,
                  SmmuQuirk.NESTED_READS,
                  SmmuQuirk.NO_TABLE_READ,
                  SmmuQuirk.TABLE_OF_FIRST,
                  SmmuQuirk.TABLE_IPA,
                  SmmuQuirk.SIZE_LAST,
                  SmmuQuirk.NESTED_SIZE,
                  SmmuQuirk.EAGER_TABLES,
                  SmmuQuirk.SILENT_IPA_SIZE,
                  SmmuQuirk.STALL_REFUSED)),
          false);

  /// Of 10.0: two stages.
  static final SmmuDialect QEMU_10 =
      new SmmuDialect(
          SmmuFeatures.qemu10(),
          EnumSet.complementOf(
              EnumSet.of(
                  SmmuQuirk.CONTEXT_PTR_WHOLE,
                  SmmuQuirk.TTB_CUT_52,
                  SmmuQuirk.CLASS_ZERO,
                  SmmuQuirk.NO_ACCESS_FLAG,
                  SmmuQuirk.SECOND_TABLE)),
          true);

  /// Of 11.0, which takes more bits of the addresses in STE and CD.
  static final SmmuDialect QEMU_11 =
      new SmmuDialect(
          SmmuFeatures.qemu10(),
          EnumSet.complementOf(
              EnumSet.of(
                  SmmuQuirk.CONTEXT_PTR_CUT,
                  SmmuQuirk.TTB_CUT,
                  SmmuQuirk.CLASS_ZERO,
                  SmmuQuirk.NO_ACCESS_FLAG,
                  SmmuQuirk.SECOND_TABLE)),
          true);

  private static final int FIRST_WITH_TWO_STAGES = 8;

  SmmuDialect {
    // In an order that is the same in every run, as reports name the quirks that cannot be done
    // without.
    quirks = Collections.unmodifiableSet(EnumSet.copyOf(quirks));
  }

  static SmmuDialect of(QemuVersion version) {
    if (version.major() < FIRST_WITH_TWO_STAGES) {
      return QEMU_7_2;
    }
    if (version.isAtLeast(11, 0)) {
      return QEMU_11;
    }
    return new SmmuDialect(QEMU_10.features, QEMU_10.quirks, version.isAtLeast(9, 1));
  }

  /// {@return the same for devices that do not read}
  SmmuDialect ofWritesAlone() {
    Set<SmmuQuirk> less = new HashSet<>(quirks);
    less.remove(SmmuQuirk.TABLE_CACHED);
    return new SmmuDialect(features, less, nested);
  }

  boolean hasStage2() {
    return SmmuRegisters.IDR0_S2P.isSet(features.idr0());
  }
}
