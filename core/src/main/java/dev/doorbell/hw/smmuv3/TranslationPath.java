package dev.doorbell.hw.smmuv3;

import static dev.doorbell.bus.Translator.FAULT;
import static dev.doorbell.bus.Translator.WRITE;

import dev.doorbell.bus.AccessGate;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.hw.smmuv3.StreamContext.Context;
import dev.doorbell.hw.smmuv3.StreamContext.Stage1;
import dev.doorbell.hw.smmuv3.StreamContext.Stage2;

/// The way of one access: global bypass, stream, substream, stages, and the record of what went wrong.
///
/// **Source** IHI 0070 F.b, 3.3, 3.4, 7.3.
final class TranslationPath {
  private static final int NO_SUBSTREAM = -1;
  private static final int DSS_BYPASS = 1;

  private static final int CONTEXT = 0;
  private static final int STAGE_1_BYPASSED = 1;
  private static final int DISABLED = 2;
  private static final int ABSENT = 3;

  private final SmmuFeatures features;
  private final RegisterFile registers;
  private final StreamConfigs streams;
  private final EventQueue events;
  private final TranslationWalk[] walks;
  private volatile boolean enabled;
  private volatile boolean abortAll;

  TranslationPath(
      SmmuFeatures features,
      RegisterFile registers,
      StreamConfigs streams,
      EventQueue events,
      TranslationWalk[] walks) {
    this.features = features;
    this.registers = registers;
    this.streams = streams;
    this.events = events;
    this.walks = walks;
  }

  /// {@return one walk for each slot of a gate}
  static TranslationWalk[] walks(PhysicalMemory memory, TranslationCaches caches) {
    TranslationWalk[] walks = new TranslationWalk[AccessGate.SLOTS];
    for (int i = 0; i < walks.length; i++) {
      walks[i] = new TranslationWalk(memory, caches);
    }
    return walks;
  }

  boolean isEnabled() {
    return enabled;
  }

  /// Takes over what the registers now say.
  void refresh() {
    abortAll = registers.isSet(SmmuRegisters.GBPA, SmmuRegisters.GBPA_ABORT);
    enabled = registers.isSet(SmmuRegisters.CR0, SmmuRegisters.CR0_SMMUEN);
  }

  /// {@return the physical address, or FAULT}
  long translate(int slot, int streamId, int substreamId, long iova, int access) {
    if (!enabled) {
      return abortAll || tooWide(iova) ? FAULT : iova;
    }
    TranslationWalk walk = walks[slot];
    TranslationMemo memo = walk.memo;
    long known = memo.find(streamId, substreamId, iova, access, walk.epoch());
    if (known != FAULT) {
      return known;
    }
    StreamContext stream = streams.find(streamId, walk);
    long pa = stream == null ? FAULT : through(stream, substreamId, iova, access, walk);
    if (pa != FAULT) {
      memo.keep(pa);
    } else if (walk.fault.recorded) {
      record(walk.fault, streamId, substreamId, iova, access);
    }
    return pa;
  }

  private boolean tooWide(long address) {
    return address >>> features.outputBits() != 0;
  }

  private long through(
      StreamContext stream, int substreamId, long iova, int access, TranslationWalk walk) {
    return switch (stream.kind) {
      case BAD -> walk.fault.configuration(EventLayout.C_BAD_STE, 0);
      case ABORT -> walk.fault.silent();
      case BYPASS ->
          substreamId == NO_SUBSTREAM
              ? bypass(iova, walk)
              : walk.fault.configuration(EventLayout.C_BAD_SUBSTREAMID, 0);
      case TRANSLATE -> {
        walk.begin(stream.vmid);
        Stage1 stage1 = stream.stage1;
        if (stage1 == null) {
          yield substreamId == NO_SUBSTREAM
              ? second(stream, iova, access, walk)
              : walk.fault.configuration(EventLayout.C_BAD_SUBSTREAMID, 0);
        }
        yield switch (substream(stage1, substreamId)) {
          case STAGE_1_BYPASSED -> second(stream, iova, access, walk);
          case DISABLED -> walk.fault.configuration(EventLayout.F_STREAM_DISABLED, 0);
          case ABSENT -> walk.fault.configuration(EventLayout.C_BAD_SUBSTREAMID, 0);
          default -> {
            Context context = streams.context(stream, stage1, Math.max(substreamId, 0), walk);
            yield context == null
                ? judged(FAULT, stream, true, walk)
                : first(stream, context, iova, access, walk);
          }
        };
      }
    };
  }

  // What a SubstreamID, or its absence, leads to: one of the codes below, or a context.
  private static int substream(Stage1 stage1, int substreamId) {
    if (substreamId != NO_SUBSTREAM) {
      if (stage1.log2Cds() == 0 || substreamId >>> stage1.log2Cds() != 0) {
        return ABSENT;
      }
      // Where CD 0 is for accesses without a SubstreamID, none may name it (7.3.7).
      boolean taken = substreamId == 0 && stage1.defaultSubstream() == SteLayout.S1DSS_SSID0;
      return taken ? DISABLED : CONTEXT;
    }
    if (stage1.log2Cds() == 0) {
      return CONTEXT;
    }
    return switch (stage1.defaultSubstream()) {
      case DSS_BYPASS -> STAGE_1_BYPASSED;
      case SteLayout.S1DSS_SSID0 -> CONTEXT;
      default -> DISABLED;
    };
  }

  private long first(
      StreamContext stream, Context context, long iova, int access, TranslationWalk walk) {
    Stage1 stage1 = stream.stage1;
    if (stage1 == null || !context.valid()) {
      return walk.fault.configuration(EventLayout.C_BAD_CD, 0);
    }
    return judged(
        walk.translate(stream, stage1, context, iova, access), stream, context.recorded(), walk);
  }

  private long second(StreamContext stream, long iova, int access, TranslationWalk walk) {
    Stage2 stage2 = stream.stage2;
    if (stage2 == null) {
      return bypass(iova, walk);
    }
    if (tooWide(iova)) {
      return walk.fault.stage1(EventLayout.F_ADDR_SIZE);
    }
    return judged(
        walk.second.translate(stage2, iova, access, EventLayout.CLASS_IN), stream, true, walk);
  }

  private long bypass(long iova, TranslationWalk walk) {
    return tooWide(iova) ? walk.fault.stage1(EventLayout.F_ADDR_SIZE) : iova;
  }

  // Translation faults are recorded as the R bit of their stage says, others always.
  private static long judged(
      long pa, StreamContext stream, boolean stage1Recorded, TranslationWalk walk) {
    WalkFault fault = walk.fault;
    if (pa == FAULT
        && fault.event >= EventLayout.F_TRANSLATION
        && fault.event <= EventLayout.F_PERMISSION) {
      Stage2 stage2 = stream.stage2;
      fault.recorded = fault.stage2 ? stage2 != null && stage2.recorded() : stage1Recorded;
    }
    return pa;
  }

  private void record(WalkFault fault, int streamId, int substreamId, long iova, int access) {
    if (fault.event == EventLayout.C_BAD_STREAMID
        && !registers.isSet(SmmuRegisters.CR2, SmmuRegisters.CR2_RECINVSID)) {
      return;
    }
    long word0 =
        EventLayout.EVENT_ID.place(fault.event)
            | EventLayout.STREAM_ID.place(Integer.toUnsignedLong(streamId));
    if (substreamId != NO_SUBSTREAM && fault.event != EventLayout.F_STREAM_DISABLED) {
      word0 |= EventLayout.SUBSTREAM_ID.place(substreamId & EventLayout.SUBSTREAM_ID.max());
      // Its SubstreamID is always valid, and where others have SSV it has a RES0 bit (7.3.9).
      word0 |= fault.event == EventLayout.C_BAD_SUBSTREAMID ? 0 : EventLayout.SSV.mask();
    }
    switch (fault.event) {
      case EventLayout.F_STE_FETCH, EventLayout.F_CD_FETCH ->
          events.record(word0, 0, 0, fetchAddress(fault));
      case EventLayout.F_WALK_EABT ->
          events.record(word0, accessWord(fault, access), iova, fetchAddress(fault));
      case EventLayout.F_TRANSLATION,
          EventLayout.F_ADDR_SIZE,
          EventLayout.F_ACCESS,
          EventLayout.F_PERMISSION ->
          events.record(
              word0,
              accessWord(fault, access),
              iova,
              fault.stage2 ? fault.ipa & EventLayout.IPA.mask() : 0);
      default -> events.record(word0, 0, 0, 0);
    }
  }

  private static long fetchAddress(WalkFault fault) {
    return fault.fetchAddress & EventLayout.FETCH_ADDR.mask();
  }

  private static long accessWord(WalkFault fault, int access) {
    return EventLayout.RNW.place((access & WRITE) == 0 ? 1 : 0)
        | EventLayout.S2.place(fault.stage2 ? 1 : 0)
        | EventLayout.CLASS.place(fault.faultClass)
        | EventLayout.TTRNW.place(fault.tableRead ? 1 : 0);
  }
}
