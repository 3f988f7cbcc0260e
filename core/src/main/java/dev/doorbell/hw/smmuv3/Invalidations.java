package dev.doorbell.hw.smmuv3;

import static dev.doorbell.hw.smmuv3.CommandLayout.*;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bits.Field;
import dev.doorbell.bus.AccessGate;
import dev.doorbell.vmsa.Invalidation;
import dev.doorbell.vmsa.Regime;

/// What the CMD_CFGI_* and CMD_TLBI_* commands do. Each answers whether it was legal.
///
/// **Source** IHI 0070 F.b, 4.3 and 4.4.
final class Invalidations {
  private static final int EL1 = 1 << StreamContext.EL1;
  private static final int EL2 = 1 << StreamContext.EL2 | 1 << StreamContext.EL2_E2H;
  private static final int MIN_PAGE = 12;
  private static final int LOG2_16K = 14;
  private static final int[] GRANULES = {0, 12, 14, 16};
  private static final long RANGE_ALL = 0xffff_ffffL;

  private final SmmuFeatures features;
  private final StreamConfigs streams;
  private final TranslationCaches caches;
  private final AccessGate gate;

  Invalidations(
      SmmuFeatures features, StreamConfigs streams, TranslationCaches caches, AccessGate gate) {
    this.features = features;
    this.streams = streams;
    this.caches = caches;
    this.gate = gate;
  }

  AccessGate gate() {
    return gate;
  }

  boolean streams(int opcode, long word0, long word1) {
    int stream = CFGI_STREAM_ID.getInt(word0);
    if (opcode == CMD_CFGI_STE) {
      streams.forget(stream, Integer.toUnsignedLong(stream), CFGI_LEAF.isSet(word1));
      return forgotten();
    }
    int range = CFGI_RANGE.getInt(word1);
    if (range == CFGI_RANGE_ALL) {
      streams.forget(0, RANGE_ALL, false);
    } else {
      long within = Regime.ones(range + 1);
      streams.forget((int) (stream & ~within), Integer.toUnsignedLong(stream) | within, false);
    }
    return forgotten();
  }

  boolean contexts(int opcode, long word0) {
    int substream = opcode == CMD_CFGI_CD_ALL ? -1 : CFGI_SUBSTREAM_ID.getInt(word0);
    streams.forgetContext(CFGI_STREAM_ID.getInt(word0), substream);
    return forgotten();
  }

  boolean stage1(int opcode, long word0, long word1) {
    Invalidation what = Invalidation.all(EL1).withVmid(vmid(word0));
    switch (opcode) {
      case CMD_TLBI_NH_ASID -> what = what.withAsid(TLBI_ASID.getInt(word0), false);
      case CMD_TLBI_NH_VA -> what = what.withAsid(TLBI_ASID.getInt(word0), true);
      default -> {}
    }
    if (opcode != CMD_TLBI_NH_VA && opcode != CMD_TLBI_NH_VAA) {
      caches.invalidate1(what, false);
      return forgotten();
    }
    if (isReserved(word0, word1)) {
      return false;
    }
    caches.invalidate1(within(what, TLBI_ADDRESS, word0, word1), TLBI_LEAF.isSet(word1));
    return forgotten();
  }

  boolean el2(int opcode, long word0, long word1) {
    Invalidation what = Invalidation.all(EL2);
    boolean byAddress = opcode == CMD_TLBI_EL2_VA || opcode == CMD_TLBI_EL2_VAA;
    if (byAddress && isReserved(word0, word1)) {
      return false;
    }
    if (byAddress) {
      what = within(what, TLBI_ADDRESS, word0, word1);
    }
    boolean leafOnly = byAddress && TLBI_LEAF.isSet(word1);
    if (opcode == CMD_TLBI_EL2_VA || opcode == CMD_TLBI_EL2_ASID) {
      // Without E2H translations have no ASID: all of them match.
      caches.invalidate1(what.ofWorlds(1 << StreamContext.EL2), leafOnly);
      what = what.ofWorlds(1 << StreamContext.EL2_E2H).withAsid(TLBI_ASID.getInt(word0), byAddress);
    }
    caches.invalidate1(what, leafOnly);
    return forgotten();
  }

  boolean stage2(int opcode, long word0, long word1) {
    Invalidation what = Invalidation.all(EL1).withVmid(vmid(word0));
    if (opcode == CMD_TLBI_S12_VMALL) {
      caches.invalidate1(what, false);
      caches.invalidate2(what, false);
      return forgotten();
    }
    if (isReserved(word0, word1)) {
      return false;
    }
    // Translations of stage 2 carry ASID 0. Nested leaves stay: software follows with
    // CMD_TLBI_NH_ALL.
    caches.invalidate2(
        within(what.withAsid(0, true), TLBI_ADDRESS, word0, word1), TLBI_LEAF.isSet(word1));
    return forgotten();
  }

  boolean everything() {
    caches.invalidate1(Invalidation.all(EL1), false);
    caches.invalidate2(Invalidation.all(EL1), false);
    return forgotten();
  }

  private boolean forgotten() {
    caches.forgotten();
    return true;
  }

  private int vmid(long word0) {
    return features.has0(SmmuRegisters.IDR0_S2P) ? TLBI_VMID.getInt(word0) : 0;
  }

  private boolean ranged(long word1) {
    return features.has3(SmmuRegisters.IDR3_RIL) && TLBI_TG.isSet(word1);
  }

  // A range of one granule without a level hint is a reserved encoding.
  private boolean isReserved(long word0, long word1) {
    return ranged(word1) && !TLBI_NUM.isSet(word0) && !TLBI_SCALE.isSet(word0) && level(word1) == 0;
  }

  // Leaves of level 1 do not exist with 16 KiB granules: that hint counts as none (4.4.1.1).
  private static int level(long word1) {
    int level = TLBI_TTL.getInt(word1);
    return GRANULES[TLBI_TG.getInt(word1)] == LOG2_16K && level == 1 ? 0 : level;
  }

  private Invalidation within(Invalidation what, Field field, long word0, long word1) {
    long address = field.get(word1);
    if (!ranged(word1)) {
      return what.within(new AddressRange(address, address + Regime.ones(MIN_PAGE)));
    }
    int granule = GRANULES[TLBI_TG.getInt(word1)];
    long first = address & ~Regime.ones(granule);
    long pages = (TLBI_NUM.get(word0) + 1) << TLBI_SCALE.getInt(word0);
    long bytes = pages << granule;
    boolean wraps = pages > (-1L >>> granule) || Long.compareUnsigned(first + bytes - 1, first) < 0;
    long last = wraps ? -1L : first + bytes - 1;
    return what.within(new AddressRange(first, last)).of(granule, level(word1));
  }
}
