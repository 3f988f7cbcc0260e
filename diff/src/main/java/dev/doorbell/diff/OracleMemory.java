package dev.doorbell.diff;

import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.hw.smmuv3.CdLayout;
import dev.doorbell.hw.smmuv3.SmmuRegisters;
import dev.doorbell.hw.smmuv3.SteLayout;
import dev.doorbell.hw.smmuv3.StreamTableLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Memory as a walk may see it: table entries with one of their permitted contents, all else as it is. It takes one event record.
final class OracleMemory implements PhysicalMemory {
  /// Where the record goes.
  static final long EVENTS = 0;

  private static final int RECORD_BYTES = 64;
  private static final int PRIVILEGED = 3;
  private static final int IPS_48 = 5;
  private static final int IPS_44 = 4;
  private static final int LEAST_TSZ = 16;
  private static final int MOST_TSZ = 39;
  private static final long ADDRESS_52 = -1L >>> (Long.SIZE - 52);
  private static final long ADDRESS_51 = -1L >>> (Long.SIZE - 51);
  private static final long ADDRESS_48 = -1L >>> (Long.SIZE - 48);

  /// Where there is no memory, within the 48 bits that the model reads at.
  private static final long NOWHERE = 0x8000_0000_0000L;

  private static final int[] OUTPUT_BITS = {32, 36, 40, 42, 44};

  private final PhysicalMemory memory;
  private final TableReads tables;
  private final Choices choices;
  private final Set<SmmuQuirk> quirks;
  private final boolean twoLevel;
  private final int split;
  private final Map<Long, long[]> chosen = new HashMap<>();
  private final long[] record = new long[RECORD_BYTES / Long.BYTES];
  private boolean recorded;
  private boolean spanned;
  private boolean sizeLast;
  private long streamAt = -1;
  private boolean outerAlone;
  private List<Long> eagerTables = List.of();

  OracleMemory(
      PhysicalMemory memory,
      TableReads tables,
      Choices choices,
      Set<SmmuQuirk> quirks,
      long tableConfig) {
    twoLevel = SmmuRegisters.STRTAB_BASE_CFG_FMT.get(tableConfig) == SmmuRegisters.FMT_2LVL;
    split = SmmuRegisters.STRTAB_BASE_CFG_SPLIT.getInt(tableConfig);
    this.memory = memory;
    this.tables = tables;
    this.choices = choices;
    this.quirks = quirks;
  }

  /// Shows the stream from now on as one whose stage 1 is off, with the contents that were chosen, and forgets the record.
  void leaveStage2Alone() {
    outerAlone = true;
    recorded = false;
  }

  /// {@return table addresses of a nested stream's CD that QEMU translates when it has read it, in its order: those before something makes it ILLEGAL}
  List<Long> eagerTables() {
    return eagerTables;
  }

  @Nullable SmmuRecord recorded() {
    return recorded ? new SmmuRecord(record[0], record[1], record[2], record[3]) : null;
  }

  @Override
  public long read(long pa, int bytes) {
    if (bytes != Long.BYTES || pa < Board.STREAMS || pa >= Board.TARGETS) {
      long value = memory.read(pa, bytes);
      if (bytes == Long.BYTES) {
        tables.walkedElsewhere(value);
      }
      return value;
    }
    // A walk that strays among STEs and CDs takes their words for descriptors.
    boolean strays = pa < Board.TABLES && tables.walking() && !chosen.containsKey(entry(pa));
    long entry = strays ? pa : entry(pa);
    long key = strays ? -entry : entry;
    long[] content = chosen.get(key);
    if (content == null) {
      content = strays ? descriptor(entry) : choose(entry);
      chosen.put(key, content);
    }
    long word = content[(int) ((pa - entry) / Long.BYTES)];
    return outerAlone && pa == streamAt
        ? SteLayout.CONFIG.with(word, SteLayout.CONFIG_S2_TRANS)
        : word;
  }

  /// One entry is read as a whole: an STE or a CD, or one descriptor.
  private long entry(long pa) {
    boolean wide = pa < Board.TABLES && !isLevel1(pa);
    return wide ? pa & -(long) SteLayout.BYTES : pa;
  }

  private boolean isLevel1(long pa) {
    return twoLevel && pa < Board.STREAMS_2;
  }

  private long[] choose(long entry) {
    if (isLevel1(entry)) {
      return level1(pick(tables.stream(memory, entry, true)));
    }
    if (entry < Board.CONTEXTS) {
      streamAt = entry;
      return stream(pick(tables.stream(memory, entry, false)));
    }
    if (entry < Board.TABLES) {
      long[] cd = pick(tables.context(memory, entry)).clone();
      if (quirks.contains(SmmuQuirk.SECOND_TABLE) && firstTableIsLegal(cd)) {
        tables.swapTables(cd);
      }
      if (quirks.contains(SmmuQuirk.TABLE_CACHED) && choices.choose(2) == 1) {
        cd[1] = CdLayout.HAD0.with(cd[1], 1);
        cd[2] = CdLayout.HAD1.with(cd[2], 1);
      }
      tables.chosen(cd);
      return context(cd);
    }
    return descriptor(entry);
  }

  private long[] descriptor(long entry) {
    long[] descriptor = pick(tables.descriptor(memory, entry));
    tables.walked(entry, descriptor[0]);
    return descriptor;
  }

  private long[] level1(long[] descriptor) {
    int span = StreamTableLayout.SPAN.getInt(descriptor[0]);
    spanned = span != 0;
    return quirks.contains(SmmuQuirk.SPAN) && span != 0 && span <= split
        ? new long[] {StreamTableLayout.SPAN.with(descriptor[0], span + 1)}
        : descriptor;
  }

  /// {@return whether a level-1 descriptor with a Span was read}
  boolean spanned() {
    return spanned;
  }

  private long[] pick(List<long[]> candidates) {
    return candidates.get(choices.choose(candidates.size()));
  }

  private long[] stream(long[] ste) {
    long[] out = ste.clone();
    tables.chosenStream(out);
    if (quirks.contains(SmmuQuirk.SIZE_LAST)
        && SteLayout.CONFIG.get(out[0]) >= SteLayout.CONFIG_S2_TRANS
        && lastIsTried()) {
      out[2] = SteLayout.S2_PS.with(out[2], IPS_48);
    }
    if (quirks.contains(SmmuQuirk.STALL_REFUSED)
        && SteLayout.CONFIG.get(out[0]) == SteLayout.CONFIG_S2_TRANS
        && SteLayout.S1_STALLD.isSet(out[1])) {
      out[0] = SteLayout.V.with(out[0], 0);
    }
    if (quirks.contains(SmmuQuirk.NO_UNPRIVILEGED_CHECK)) {
      out[1] = SteLayout.PRIVCFG.with(out[1], PRIVILEGED);
    }
    if (quirks.contains(SmmuQuirk.CONTEXT_PTR_CUT)) {
      out[0] =
          SteLayout.S1_CONTEXT_PTR.with(out[0], SteLayout.S1_CONTEXT_PTR.get(out[0]) & ADDRESS_48);
    }
    if (quirks.contains(SmmuQuirk.CONTEXT_PTR_WHOLE) && tables.contextIsBeyond()) {
      out[0] = SteLayout.S1_CONTEXT_PTR.with(out[0], NOWHERE);
    }
    if (quirks.contains(SmmuQuirk.SUBSTREAMS_REFUSED)
        && SteLayout.CONFIG.get(out[0]) > SteLayout.CONFIG_BYPASS
        && SteLayout.S1_CD_MAX.isSet(out[0])) {
      out[0] = SteLayout.V.with(out[0], 0);
    }
    return out;
  }

  private boolean lastIsTried() {
    sizeLast |= choices.choose(2) == 1;
    return sizeLast;
  }

  /// {@return whether the size of output addresses was not looked at, to see what is found behind it}
  boolean sizeLast() {
    return sizeLast;
  }

  private long[] context(long[] cd) {
    if (quirks.contains(SmmuQuirk.NO_ACCESS_FLAG)) {
      cd[0] = CdLayout.AFFD.with(cd[0], 1);
    }
    if (quirks.contains(SmmuQuirk.TTB_CUT)) {
      cutTables(cd, ADDRESS_51);
    }
    if (quirks.contains(SmmuQuirk.TTB_CUT_52)) {
      cutTables(cd, ADDRESS_52);
    }
    eagerTables = tablesInOrder(cd);
    if (isWider() && tablesFit(cd)) {
      cd[0] = CdLayout.IPS.with(cd[0], IPS_48);
    } else {
      // The SMMU's own size bounds it, which other quirks widen.
      cd[0] = CdLayout.IPS.with(cd[0], Math.min(CdLayout.IPS.getInt(cd[0]), IPS_44));
    }
    if (quirks.contains(SmmuQuirk.NO_UNPRIVILEGED_CHECK)) {
      cd[0] = CdLayout.PAN.with(cd[0], 0);
    }
    return cd;
  }

  /// Whether the walk of stage 1 goes on beyond the output size. QEMU 10 looks at it behind all else at a leaf, and not at tables where stage 1 is alone.
  private boolean isWider() {
    boolean late = quirks.contains(SmmuQuirk.SIZE_LAST);
    if (tables.nested()) {
      return late && lastIsTried();
    }
    return quirks.contains(SmmuQuirk.NO_OUTPUT_SIZE) && (!late || choices.choose(2) == 1);
  }

  private static List<Long> tablesInOrder(long[] cd) {
    List<Long> out = new ArrayList<>();
    boolean good =
        CdLayout.V.isSet(cd[0])
            && CdLayout.AA64.isSet(cd[0])
            && CdLayout.A.isSet(cd[0])
            && !CdLayout.S.isSet(cd[0])
            && !CdLayout.HA.isSet(cd[0])
            && !CdLayout.HD.isSet(cd[0]);
    if (good && !CdLayout.EPD0.isSet(cd[0])) {
      long table = CdLayout.TTB0.get(cd[1]);
      boolean granule = CdLayout.TG0.get(cd[0]) <= CdLayout.TG0_16K;
      good = granule && isLegal(cd, CdLayout.T0SZ.getInt(cd[0]), table);
      if (good) {
        out.add(table);
      }
    }
    if (good && !CdLayout.EPD1.isSet(cd[0])) {
      long table = CdLayout.TTB1.get(cd[2]);
      if (CdLayout.TG1.isSet(cd[0]) && isLegal(cd, CdLayout.T1SZ.getInt(cd[0]), table)) {
        out.add(table);
      }
    }
    return out;
  }

  private static boolean isLegal(long[] cd, int tsz, long table) {
    return tsz >= LEAST_TSZ
        && tsz <= MOST_TSZ
        && !CdLayout.ENDI.isSet(cd[0])
        && table >>> outputBits(cd) == 0;
  }

  private static void cutTables(long[] cd, long bits) {
    cd[1] = CdLayout.TTB0.with(cd[1], CdLayout.TTB0.get(cd[1]) & bits);
    cd[2] = CdLayout.TTB1.with(cd[2], CdLayout.TTB1.get(cd[2]) & bits);
  }

  /// Whether nothing of TTB0's half makes the CD ILLEGAL, which both SMMUs find before they choose a table.
  private static boolean firstTableIsLegal(long[] cd) {
    int tsz = CdLayout.T0SZ.getInt(cd[0]);
    return CdLayout.EPD0.isSet(cd[0])
        || (tsz >= LEAST_TSZ
            && tsz <= MOST_TSZ
            && CdLayout.TG0.get(cd[0]) <= CdLayout.TG0_16K
            && (CdLayout.TTB0.get(cd[1]) & ADDRESS_51) >>> outputBits(cd) == 0);
  }

  private static int outputBits(long[] cd) {
    int ips = CdLayout.IPS.getInt(cd[0]);
    return ips < OUTPUT_BITS.length ? OUTPUT_BITS[ips] : SmmuGenerator.outputBits();
  }

  /// Whether the tables that the CD uses lie within its own output size, which QEMU does look at.
  private static boolean tablesFit(long[] cd) {
    long used =
        (CdLayout.EPD0.isSet(cd[0]) ? 0 : CdLayout.TTB0.get(cd[1]))
            | (CdLayout.EPD1.isSet(cd[0]) ? 0 : CdLayout.TTB1.get(cd[2]));
    return used >>> outputBits(cd) == 0;
  }

  @Override
  public void write(long pa, long value, int bytes) {
    if (pa >= EVENTS && pa < EVENTS + RECORD_BYTES && bytes == Long.BYTES) {
      record[(int) ((pa - EVENTS) / Long.BYTES)] = value;
      recorded = true;
    }
  }

  @Override
  public void read(long pa, byte[] into) {
    memory.read(pa, into);
  }

  @Override
  public void write(long pa, byte[] from) {}

  @Override
  public void fill(long pa, long bytes, byte value) {}

  @Override
  public void publish() {}
}
