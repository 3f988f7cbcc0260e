package dev.doorbell.hw.smmuv2;

import static dev.doorbell.hw.smmuv2.Gr0Registers.*;

import java.util.function.IntFunction;

/// Which way each stream goes, as the registers stand: made anew with each write of one of them, and read without a lock.
///
/// **Source** IHI 0062 D.c, 2.4.
final class StreamRoutes {
  /// No register matches.
  static final int UNIDENTIFIED = -1;

  /// More than one does.
  static final int CONFLICT = -2;

  final boolean disabled;
  final boolean unidentifiedFaults;
  final boolean conflictFaults;
  private final boolean matching;
  private final boolean extended;
  private final int valid;
  private final int[] ids;
  private final int[] masks;
  private final int[] entries;
  private final int[] ways;
  private final BankContext[] banks;

  /// @param bank what each context bank is
  StreamRoutes(SmmuV2Features features, RegisterPage gr0, IntFunction<BankContext> bank) {
    long cr0 = gr0.get(CR0);
    disabled = CR0_CLIENTPD.isSet(cr0);
    unidentifiedFaults = CR0_USFCFG.isSet(cr0);
    conflictFaults = CR0_SMCFCFG.isSet(cr0);
    matching = IDR0_SMS.isSet(features.idr0());
    extended = IDR0_EXIDS.isSet(features.idr0()) && CR0_EXIDENABLE.isSet(cr0);
    int count = features.entries();
    ids = new int[count];
    masks = new int[count];
    entries = new int[count];
    ways = new int[count];
    int found = 0;
    for (int i = 0; i < count; i++) {
      long smr = gr0.get(SMR, i);
      long way = gr0.get(S2CR, i);
      ways[i] = (int) way;
      if (extended ? S2CR_EXIDVALID.isSet(way) : SMR_VALID.isSet(smr)) {
        int kept = ~(extended ? EXSMR_MASK : SMR_MASK).getInt(smr);
        masks[found] = kept & (int) (extended ? EXSMR_ID : SMR_ID).max();
        ids[found] = (extended ? EXSMR_ID : SMR_ID).getInt(smr) & masks[found];
        entries[found++] = i;
      }
    }
    valid = found;
    banks = new BankContext[features.banks()];
    for (int i = 0; i < banks.length; i++) {
      banks[i] = bank.apply(i);
    }
  }

  /// {@return the entry of a stream, or one of the codes above}
  int find(int streamId) {
    if (!matching) {
      return Integer.compareUnsigned(streamId, ways.length) < 0 ? streamId : UNIDENTIFIED;
    }
    int hit = UNIDENTIFIED;
    for (int i = 0; i < valid; i++) {
      if ((streamId & masks[i]) == ids[i]) {
        if (hit != UNIDENTIFIED) {
          return CONFLICT;
        }
        hit = entries[i];
      }
    }
    return hit;
  }

  /// {@return SMMU_S2CRn}
  int way(int entry) {
    return ways[entry];
  }

  boolean hasBank(int number) {
    return number < banks.length;
  }

  BankContext bank(int number) {
    return banks[number];
  }
}
