package dev.doorbell.hw.smmuv2;

import static dev.doorbell.bus.Translator.FAULT;
import static dev.doorbell.bus.Translator.WRITE;
import static dev.doorbell.hw.smmuv2.Gr0Registers.*;

import dev.doorbell.bits.Field;
import dev.doorbell.bus.AccessGate;
import dev.doorbell.bus.PhysicalMemory;
import org.jspecify.annotations.Nullable;

/// The way of one access: global bypass, stream, context bank, and the record of what went wrong.
///
/// **Source** IHI 0062 D.c, 2.4 and 2.5, 3.5 to 3.7.
final class SmmuV2Path {
  private static final int PRIVILEGED = 3;

  private final SmmuV2Features features;
  private final FaultRecords faults;
  private final BankWalk[] walks = new BankWalk[AccessGate.SLOTS];
  private volatile StreamRoutes routes;

  SmmuV2Path(
      SmmuV2Features features,
      FaultRecords faults,
      Tlb tlb,
      PhysicalMemory memory,
      StreamRoutes routes) {
    this.features = features;
    this.faults = faults;
    this.routes = routes;
    boolean signExtends = IDR2_UBS.get(features.idr2()) == SmmuV2Features.UBS_49;
    for (int i = 0; i < walks.length; i++) {
      walks[i] = new BankWalk(tlb, memory, signExtends);
    }
  }

  void routes(StreamRoutes next) {
    routes = next;
  }

  /// {@return the physical address, or FAULT}
  long translate(int slot, int streamId, long iova, int access) {
    StreamRoutes now = routes;
    boolean write = (access & WRITE) != 0;
    if (now.disabled) {
      return passed(iova, streamId, write);
    }
    int entry = now.find(streamId);
    if (entry == StreamRoutes.UNIDENTIFIED) {
      return now.unidentifiedFaults
          ? global(GFSR_USF, streamId, iova, write)
          : passed(iova, streamId, write);
    }
    if (entry == StreamRoutes.CONFLICT) {
      return now.conflictFaults
          ? global(GFSR_SMCF, streamId, iova, write)
          : passed(iova, streamId, write);
    }
    int way = now.way(entry);
    return switch (S2CR_TYPE.getInt(way)) {
      case TYPE_TRANSLATION -> bank(now, way, walks[slot].of(streamId, iova, access));
      case TYPE_BYPASS -> passed(iova, streamId, write);
      default -> global(GFSR_ICF, streamId, iova, write);
    };
  }

  private long bank(StreamRoutes now, int way, BankWalk walk) {
    int streamId = walk.streamId;
    long iova = walk.iova;
    boolean write = (walk.access & WRITE) != 0;
    int number = S2CR_CBNDX.getInt(way);
    if (!now.hasBank(number)) {
      return global(GFSR_UCBF, streamId, iova, write);
    }
    BankContext bank = now.bank(number);
    BankContext second = null;
    if (bank.type() == Gr1Registers.TYPE_S1_S2_FAULT) {
      return global(GFSR_ICF, streamId, iova, write);
    }
    if (bank.type() == Gr1Registers.TYPE_S1_S2) {
      second = stage2(now, bank);
      if (second == null) {
        return global(GFSR_UCBF, streamId, iova, write);
      }
    }
    boolean privileged = S2CR_PRIVCFG.getInt(way) == PRIVILEGED;
    long pa = walk.translate(bank, second, privileged);
    BankContext faulting = walk.faulting;
    if (faulting != null) {
      faults.context(faulting, walk);
      return FAULT;
    }
    // Where nothing translates an address passes as it is, all ones too.
    return passed(pa, streamId, write);
  }

  private @Nullable BankContext stage2(StreamRoutes now, BankContext bank) {
    int number = bank.stage2Bank();
    boolean there = IDR0_NTS.isSet(features.idr0()) && now.hasBank(number);
    return there && now.bank(number).isStage2() ? now.bank(number) : null;
  }

  /// What leaves is no wider than the output.
  private long passed(long address, int streamId, boolean write) {
    return address >>> features.outputBits() == 0
        ? address
        : global(GFSR_EF, streamId, address, write);
  }

  private long global(Field cause, int streamId, long iova, boolean write) {
    faults.global(cause, streamId, iova, write);
    return FAULT;
  }
}
