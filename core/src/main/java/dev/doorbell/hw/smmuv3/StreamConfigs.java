package dev.doorbell.hw.smmuv3;

import static dev.doorbell.bus.Translator.FAULT;
import static dev.doorbell.bus.Translator.READ;

import dev.doorbell.hw.smmuv3.StreamContext.Context;
import dev.doorbell.hw.smmuv3.StreamContext.Stage1;
import dev.doorbell.hw.smmuv3.StreamContext.Stage2;
import dev.doorbell.vmsa.Regime;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/// The configuration cache: level-1 stream table descriptors, STEs and CDs, from their fetch until a CMD_CFGI_*. Entries
/// that are not valid are cached too, as the architecture allows; aborted fetches are not.
///
/// A look-up takes no lock and allocates nothing; a fetch, after an invalidation, makes the decoded entry.
///
/// **Source** IHI 0070 F.b, 3.3 and 4.3.
final class StreamConfigs {
  private static final VarHandle PAGES =
      MethodHandles.arrayElementVarHandle(StreamContext[][].class);
  private static final VarHandle STREAMS =
      MethodHandles.arrayElementVarHandle(StreamContext[].class);
  private static final int LOG2_PAGE = 8;
  private static final int PAGE = 1 << LOG2_PAGE;
  private static final int MIN_SPLIT = 6;
  private static final int LOG2_STE = 6;
  private static final int LOG2_CD = 6;
  private static final int QUADWORDS = 4;

  private final SmmuFeatures features;
  private final RegisterFile registers;
  private final StreamDecoder decoder;
  private final int streamIdBits;
  private final @Nullable StreamContext[][] pages;
  private final long[] level1;
  private volatile long generation;

  StreamConfigs(SmmuFeatures features, RegisterFile registers) {
    this.features = features;
    this.registers = registers;
    decoder = new StreamDecoder(features);
    streamIdBits = features.idr1(SmmuRegisters.IDR1_SIDSIZE);
    pages = new StreamContext[Math.max(1, (1 << streamIdBits) >>> LOG2_PAGE)][];
    level1 = new long[Math.max(1, (1 << streamIdBits) >>> MIN_SPLIT)];
  }

  /// {@return the stream's entry, or null with the fault's record filled}
  @Nullable StreamContext find(int streamId, TranslationWalk walk) {
    if (streamId >>> streamIdBits != 0) {
      walk.fault.configuration(EventLayout.C_BAD_STREAMID, 0);
      return null;
    }
    StreamContext[] page = (StreamContext[]) PAGES.getAcquire(pages, streamId >>> LOG2_PAGE);
    if (page != null) {
      StreamContext there = (StreamContext) STREAMS.getAcquire(page, streamId & (PAGE - 1));
      if (there != null) {
        return there;
      }
    }
    return fetch(streamId, walk);
  }

  private @Nullable StreamContext fetch(int streamId, TranslationWalk walk) {
    long begun = generation;
    long address = locate(streamId, walk, begun);
    if (address == FAULT) {
      return null;
    }
    long[] words = read(address, walk, EventLayout.F_STE_FETCH);
    if (words.length == 0) {
      return null;
    }
    boolean e2h = SmmuRegisters.CR2_E2H.isSet(registers.get(SmmuRegisters.CR2));
    StreamContext made = decoder.ste(words, e2h);
    synchronized (this) {
      if (generation == begun) {
        StreamContext[] page = pages[streamId >>> LOG2_PAGE];
        if (page == null) {
          page = new StreamContext[PAGE];
          PAGES.setRelease(pages, streamId >>> LOG2_PAGE, page);
        }
        STREAMS.setRelease(page, streamId & (PAGE - 1), made);
      }
    }
    return made;
  }

  // The address of the STE, or FAULT.
  private long locate(int streamId, TranslationWalk walk, long begun) {
    long config = registers.get(SmmuRegisters.STRTAB_BASE_CFG);
    int log2 = SmmuRegisters.STRTAB_BASE_CFG_LOG2SIZE.getInt(config);
    if (streamId >>> Math.min(log2, streamIdBits) != 0) {
      return walk.fault.configuration(EventLayout.C_BAD_STREAMID, 0);
    }
    boolean twoLevel =
        features.has0(SmmuRegisters.IDR0_ST_LEVEL)
            && SmmuRegisters.STRTAB_BASE_CFG_FMT.get(config) == SmmuRegisters.FMT_2LVL;
    int split = split(config);
    // Aligned to the size as it is written, not to what StreamIDs can reach of it (6.3.24).
    int tableBits = twoLevel ? Math.max(0, log2 - split) + 3 : log2 + LOG2_STE;
    long base =
        SmmuRegisters.STRTAB_BASE_ADDR.get(registers.get(SmmuRegisters.STRTAB_BASE))
            & ~Regime.ones(Math.min(tableBits, Long.SIZE - 1));
    if (!twoLevel) {
      return base + ((long) streamId << LOG2_STE);
    }
    int index = streamId >>> split;
    long descriptor = level1Descriptor(base, index, walk, begun);
    if (descriptor == FAULT) {
      return FAULT;
    }
    int span = StreamTableLayout.SPAN.getInt(descriptor);
    int within = streamId & (int) Regime.ones(split);
    if (span == 0
        || span > Math.min(StreamTableLayout.SPAN_MAX, split + 1)
        || within >>> (span - 1) != 0) {
      return walk.fault.configuration(EventLayout.C_BAD_STREAMID, 0);
    }
    long array = StreamTableLayout.L2_PTR.get(descriptor) & ~Regime.ones(span - 1 + LOG2_STE);
    return array + ((long) within << LOG2_STE);
  }

  private long level1Descriptor(long base, int index, TranslationWalk walk, long begun) {
    synchronized (this) {
      if (level1[index] != 0) {
        return level1[index];
      }
    }
    long address = base + (long) index * StreamTableLayout.L1_BYTES;
    if (!walk.fetcher.read(address)) {
      return walk.fault.configuration(EventLayout.F_STE_FETCH, address);
    }
    long descriptor =
        walk.fetcher.value & (StreamTableLayout.SPAN.mask() | StreamTableLayout.L2_PTR.mask());
    synchronized (this) {
      // One without a level-2 array is fetched again: 0 says that nothing is cached.
      if (generation == begun && StreamTableLayout.SPAN.isSet(descriptor)) {
        level1[index] = descriptor;
      }
    }
    return descriptor;
  }

  private static int split(long config) {
    int split = SmmuRegisters.STRTAB_BASE_CFG_SPLIT.getInt(config);
    return split == 8 || split == 10 ? split : MIN_SPLIT;
  }

  /// {@return a stream's context, or null with the fault's record filled}
  @Nullable Context context(
      StreamContext stream, Stage1 stage1, int substream, TranslationWalk walk) {
    Context there = stream.cached(substream);
    return there != null ? there : fetchContext(stream, stage1, substream, walk);
  }

  private @Nullable Context fetchContext(
      StreamContext stream, Stage1 stage1, int substream, TranslationWalk walk) {
    long begun = generation;
    long address = locateContext(stream, stage1, substream, walk);
    if (address == FAULT) {
      return null;
    }
    long[] words = read(address, walk, EventLayout.F_CD_FETCH);
    if (words.length == 0) {
      return null;
    }
    Context made = decoder.cd(words, stage1, substream);
    synchronized (this) {
      if (generation == begun) {
        stream.cache(made);
      }
    }
    return made;
  }

  // The physical address of the CD, or FAULT.
  private long locateContext(
      StreamContext stream, Stage1 stage1, int substream, TranslationWalk walk) {
    long offset = (long) substream << LOG2_CD;
    if (stage1.format() == 0) {
      return physical(stream.stage2, stage1.table() + offset, walk);
    }
    int leafBits = stage1.format() == 1 ? 6 : 10;
    long level1Address =
        physical(
            stream.stage2, stage1.table() + (long) (substream >>> leafBits) * Long.BYTES, walk);
    if (level1Address == FAULT) {
      return FAULT;
    }
    if (!walk.fetcher.read(level1Address)) {
      return walk.fault.configuration(EventLayout.F_CD_FETCH, level1Address);
    }
    long descriptor = walk.fetcher.value;
    if (!CdLayout.L1_V.isSet(descriptor)) {
      return walk.fault.configuration(EventLayout.C_BAD_SUBSTREAMID, 0);
    }
    long leaf = CdLayout.L1_L2_PTR.get(descriptor);
    return physical(stream.stage2, leaf + (offset & Regime.ones(leafBits + LOG2_CD)), walk);
  }

  private static long physical(@Nullable Stage2 stage2, long address, TranslationWalk walk) {
    return stage2 == null
        ? address
        : walk.second.translate(stage2, address, READ, EventLayout.CLASS_CD);
  }

  // Quadwords 0 to 3, or an empty array with the fault's record filled.
  private static long[] read(long address, TranslationWalk walk, int event) {
    long[] words = new long[QUADWORDS];
    for (int i = 0; i < QUADWORDS; i++) {
      if (!walk.fetcher.read(address + (long) i * Long.BYTES)) {
        walk.fault.configuration(event, address);
        return new long[0];
      }
      words[i] = walk.fetcher.value;
    }
    return words;
  }

  /// CMD_CFGI_STE, CMD_CFGI_STE_RANGE, CMD_CFGI_ALL: streams first to last, with their CDs.
  synchronized void forget(int firstStream, long lastStream, boolean leafOnly) {
    generation = generation + 1;
    long last = Math.min(lastStream, (1L << streamIdBits) - 1);
    for (long stream = Integer.toUnsignedLong(firstStream); stream <= last; stream++) {
      StreamContext[] page = pages[(int) (stream >>> LOG2_PAGE)];
      if (page == null) {
        stream |= PAGE - 1;
      } else {
        STREAMS.setRelease(page, (int) stream & (PAGE - 1), (StreamContext) null);
      }
    }
    if (!leafOnly) {
      int split = split(registers.get(SmmuRegisters.STRTAB_BASE_CFG));
      for (long i = Integer.toUnsignedLong(firstStream) >>> split; i <= last >>> split; i++) {
        level1[(int) i] = 0;
      }
    }
  }

  /// CMD_CFGI_CD, or with substream -1 CMD_CFGI_CD_ALL.
  synchronized void forgetContext(int streamId, int substream) {
    generation = generation + 1;
    if (streamId >>> streamIdBits != 0) {
      return;
    }
    StreamContext[] page = pages[streamId >>> LOG2_PAGE];
    StreamContext stream = page == null ? null : page[streamId & (PAGE - 1)];
    if (stream == null) {
      return;
    }
    if (substream < 0) {
      stream.forgetAll();
    } else {
      stream.forget(substream);
    }
  }
}
