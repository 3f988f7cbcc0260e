package dev.doorbell.diff;

import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.Translator;
import dev.doorbell.hw.smmuv3.CdLayout;
import dev.doorbell.hw.smmuv3.EventLayout;
import dev.doorbell.hw.smmuv3.SteLayout;
import dev.doorbell.vmsa.DescriptorLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// The permitted contents of the table entries that one message's translation reads.
final class TableReads {
  private static final int SELECT_BIT = 55;
  private static final int LOG2_DESCRIPTOR = 3;
  private static final int MOST_OUTPUT_BITS = 48;
  private static final long BY_CACHED =
      CdLayout.R.mask() | CdLayout.TBI0.mask() | CdLayout.TBI1.mask();

  private final History history;
  private final CommandLog commands;
  private final Step.Access message;
  private static final long TOP_CUT = -1L >>> Byte.SIZE;
  private boolean walking;
  private boolean recorded;
  private boolean second;
  private boolean nested;
  private boolean undetermined;
  private final boolean tagged;
  private final boolean globals;
  private boolean global;
  private int vmid;
  private boolean flagIgnored;
  private boolean hierarchyIgnored;
  private boolean tableDenied;
  private long reserved;
  private int reservedShift;
  private long contextPointer;
  private int asid;
  private int granule = 12;
  private int level;
  private int firstLevel;
  private long nextTable;

  /// @param tagged whether translations have VMIDs
  /// @param globals whether to walk by every CD that there was, for the sake of the global translations that any ASID may use
  TableReads(
      History history, CommandLog commands, Step.Access message, boolean tagged, boolean globals) {
    this.tagged = tagged;
    this.globals = globals;
    this.history = history;
    this.commands = commands;
    this.message = message;
  }

  /// {@return contents of the STE, or the level-1 descriptor, at an address}
  List<long[]> stream(PhysicalMemory memory, long address, boolean level1) {
    return history.since(
        memory,
        address,
        level1 ? 1 : SteLayout.QUADWORDS,
        commands.streamDropped(message.requester(), level1));
  }

  /// {@return contents of the CD at an address; an old one counts while translations by it may be cached}
  List<long[]> context(PhysicalMemory memory, long address) {
    int dropped = commands.contextDropped(message.requester());
    int time = dropped;
    // Whichever of the CDs that may be cached is used, translations made by an older one may be
    // cached under its ASID; by that of another stream, too, which has the same CD.
    boolean shared = history.places(Board.STREAMS, Board.CONTEXTS, w -> leadsTo(w, address)) > 1;
    List<Integer> streams = shared ? Board.REQUESTERS : List.of(message.requester());
    List<long[]> cached = history.since(memory, address, CdLayout.QUADWORDS, dropped);
    for (long[] cd : cached) {
      int sinceAsid = commands.asidDropped(CdLayout.ASID.getInt(cd[0]), tag());
      for (int stream : streams) {
        time = Math.min(time, commands.contextDropped(stream, sinceAsid));
      }
    }
    List<long[]> all =
        globals ? everyContext(memory) : history.since(memory, address, CdLayout.QUADWORDS, time);
    return usedBy(cached, all);
  }

  private List<long[]> everyContext(PhysicalMemory memory) {
    int time = commands.asidDropped(CommandLog.NO_ASID, tag());
    List<long[]> out = new ArrayList<>();
    history.values(Board.STREAMS, Board.CONTEXTS).stream()
        .filter(w -> SteLayout.CONFIG.get(w) > SteLayout.CONFIG_BYPASS)
        .map(SteLayout.S1_CONTEXT_PTR::get)
        .filter(a -> a >= Board.CONTEXTS && a < Board.TABLES)
        .distinct()
        .forEach(a -> out.addAll(history.since(memory, a, CdLayout.QUADWORDS, time)));
    return out;
  }

  // Of an older CD translations may be cached; whether the address has a tag above it and a fault
  // is recorded says the CD that is cached now.
  private static List<long[]> usedBy(List<long[]> cached, List<long[]> all) {
    List<long[]> out = new ArrayList<>(all);
    for (long[] older : all) {
      for (long[] now : cached) {
        long[] other = older.clone();
        other[0] = (older[0] & ~BY_CACHED) | (now[0] & BY_CACHED);
        if (out.stream().noneMatch(o -> Arrays.equals(o, other))) {
          out.add(other);
        }
      }
    }
    return out;
  }

  private static boolean leadsTo(long word, long context) {
    return SteLayout.S1_CONTEXT_PTR.get(word) == context
        && SteLayout.CONFIG.get(word) > SteLayout.CONFIG_BYPASS;
  }

  /// Takes note of the CD that was chosen.
  void chosen(long[] cd) {
    walking = true;
    recorded = CdLayout.R.isSet(cd[0]);
    flagIgnored = CdLayout.AFFD.isSet(cd[0]);
    hierarchyIgnored = CdLayout.HAD0.isSet(cd[1]);
    asid = CdLayout.ASID.getInt(cd[0]);
    boolean upper = (message.address() >>> SELECT_BIT & 1) != 0;
    int tsz = upper ? CdLayout.T1SZ.getInt(cd[0]) : CdLayout.T0SZ.getInt(cd[0]);
    int code = upper ? CdLayout.TG1.getInt(cd[0]) : CdLayout.TG0.getInt(cd[0]);
    granule =
        upper
            ? (code == 1 ? 14 : code == 3 ? 16 : 12)
            : code == CdLayout.TG0_64K ? 16 : code == CdLayout.TG0_16K ? 14 : 12;
    int bits = Math.max(Long.SIZE - tsz, granule + 1);
    level = CommandLog.lastLevel() + 1 - Math.ceilDiv(bits - granule, granule - LOG2_DESCRIPTOR);
    firstLevel = level;
  }

  private int tag() {
    return tagged ? vmid : CommandLog.NO_VMID;
  }

  /// Takes note of the STE that was chosen.
  void chosenStream(long[] ste) {
    long config = SteLayout.CONFIG.get(ste[0]);
    vmid = SteLayout.S2_VMID.getInt(ste[2]);
    contextPointer = SteLayout.S1_CONTEXT_PTR.get(ste[0]);
    nested = config == SteLayout.CONFIG_NESTED;
    if (config == SteLayout.CONFIG_S2_TRANS) {
      chosenSecond(ste);
    }
  }

  /// {@return S1ContextPtr of the STE that was chosen}
  long contextPointer() {
    return contextPointer;
  }

  /// {@return whether that is beyond every address}
  boolean contextIsBeyond() {
    return contextPointer >>> MOST_OUTPUT_BITS != 0;
  }

  private void chosenSecond(long[] ste) {
    walking = true;
    second = true;
    recorded = SteLayout.S2_R.isSet(ste[2]);
    flagIgnored = SteLayout.S2_AFFD.isSet(ste[2]);
    int code = SteLayout.S2_TG.getInt(ste[2]);
    granule = code == CdLayout.TG0_64K ? 16 : code == CdLayout.TG0_16K ? 14 : 12;
    level = (granule == 12 ? 2 : 3) - SteLayout.S2_SL0.getInt(ste[2]);
  }

  /// {@return contents of the descriptor at an address, the next of the walk}
  List<long[]> descriptor(PhysicalMemory memory, long address) {
    if (isOuter(address)) {
      // What both stages together gave may be used until all of it is dropped.
      List<long[]> all = history.since(memory, address, 1, commands.secondDropped(vmid));
      undetermined |= !walking && all.size() > 1;
      return all;
    }
    if (second) {
      level++;
      // CMD_TLBI_S2_IPA may drop more than its page; here it drops nothing for certain.
      return history.since(memory, address, 1, commands.secondDropped(vmid));
    }
    List<long[]> all = history.since(memory, address, 1, 0);
    int here = level++;
    boolean last = here >= CommandLog.lastLevel();
    // A block that was global stays cached when an ASID is dropped, also if a table took its place.
    boolean global = all.stream().anyMatch(d -> isGlobal(d[0], last));
    boolean leaf = last || all.stream().noneMatch(d -> DescriptorLayout.TABLE.isSet(d[0]));
    long iova = message.address();
    int time =
        commands.translationDropped(
            new CommandLog.Walked(iova, asid, tag(), granule, here, leaf, global));
    return history.since(memory, address, 1, time);
  }

  /// {@return whether the table at an address is of the stage 2 below a stage 1}
  private boolean isOuter(long address) {
    return nested && address >= Board.OUTER_TABLES;
  }

  private static boolean isGlobal(long descriptor, boolean last) {
    return DescriptorLayout.VALID.isSet(descriptor)
        && (last || !DescriptorLayout.TABLE.isSet(descriptor))
        && !DescriptorLayout.NG.isSet(descriptor);
  }

  /// Takes note of a descriptor that is not where the scenario's tables are.
  void walkedElsewhere(long descriptor) {
    if (walking) {
      level++;
      walked(0, descriptor);
    }
  }

  /// Takes note of the descriptor that was chosen.
  void walked(long address, long descriptor) {
    if (isOuter(address)) {
      return;
    }
    int here = level - 1;
    global = isGlobal(descriptor, here >= CommandLog.lastLevel());
    boolean exists = here == 2 || (granule == 12 && here == 1);
    boolean block =
        DescriptorLayout.VALID.isSet(descriptor) && !DescriptorLayout.TABLE.isSet(descriptor);
    boolean table = DescriptorLayout.VALID.isSet(descriptor) && !block;
    nextTable =
        table && here < CommandLog.lastLevel()
            ? tableOf(DescriptorLayout.NEXT_TABLE.get(descriptor))
            : 0;
    if (table
        && message.direction() == Translator.WRITE
        && !second
        && here < CommandLog.lastLevel()
        && !hierarchyIgnored
        && DescriptorLayout.AP_TABLE.get(descriptor) >= DescriptorLayout.AP_TABLE_READ_ONLY) {
      tableDenied = true;
    }
    if (here < CommandLog.lastLevel() && block && !exists) {
      reserved = descriptor;
      reservedShift = granule + (CommandLog.lastLevel() - here) * (granule - LOG2_DESCRIPTOR);
    }
  }

  /// {@return whether what is read now are descriptors: the STE, and the CD if it has one, were chosen}
  boolean walking() {
    return walking;
  }

  /// {@return whether the walk of stage 1 came to a translation for every ASID}
  boolean metGlobal() {
    return global;
  }

  /// {@return whether the walk met a block where the granule has none}
  boolean metReservedBlock() {
    return reserved != 0;
  }

  /// {@return whether a table on the way took write access away}
  boolean tableDenied() {
    return tableDenied;
  }

  /// {@return whether the access is a read}
  boolean isRead() {
    return message.direction() == Translator.READ;
  }

  /// {@return whether stage 2 alone translates}
  boolean second() {
    return second;
  }

  /// {@return whether stage 2 may have led to the CD otherwise than it leads to the tables: CDs are cached without it}
  boolean undetermined() {
    return undetermined;
  }

  /// {@return whether stage 2 translates what stage 1 gave}
  boolean nested() {
    return nested;
  }

  /// {@return whether the table that the CD names was not read yet}
  boolean atFirstTable() {
    return level == firstLevel;
  }

  /// {@return the address of the table of stage 1 that holds a descriptor, or a page of it}
  long tableOf(long address) {
    return address & -(1L << granule);
  }

  /// {@return the last table descriptor's address where a nested walk has just met one, else 0}
  long wideTable() {
    return nested ? nextTable : 0;
  }

  /// {@return an address that stage 2 did not take, with the lower bits that QEMU records of it}
  ///
  /// @param ipa as the manual has it, that of the page
  long wholeIpa(long ipa, int faultClass) {
    return switch (faultClass) {
      case EventLayout.CLASS_IN -> ipa | (message.address() & (Board.PAGE - 1));
      case EventLayout.CLASS_TT -> ipa;
      default -> ipa | (contextPointer & (Board.PAGE - 1));
    };
  }

  /// {@return CD.R, or STE.S2R}
  boolean recorded() {
    return recorded;
  }

  /// {@return whether that block denies the access}
  boolean reservedDenies() {
    boolean write = message.direction() == Translator.WRITE;
    int wanted = write ? DescriptorLayout.S2AP_WRITE : DescriptorLayout.S2AP_READ;
    return second
        ? (DescriptorLayout.S2_AP.get(reserved) & wanted) == 0
        : write && DescriptorLayout.AP.get(reserved) >= DescriptorLayout.AP_PRIVILEGED_READ_ONLY;
  }

  /// {@return whether that block's access flag makes every access fault}
  boolean reservedFaultsAccess() {
    return !DescriptorLayout.AF.isSet(reserved) && !flagIgnored;
  }

  /// {@return where that block would lead}
  long reservedOutput() {
    long low = (1L << reservedShift) - 1;
    return (DescriptorLayout.OUTPUT_ADDRESS.get(reserved) & ~low) | (message.address() & low);
  }

  /// Makes TTB1's tables those of TTB0 where the address has zeroes above TTB1's input size and TTB0 does not take it.
  void swapTables(long[] cd) {
    boolean low =
        !CdLayout.EPD0.isSet(cd[0]) && fits(cd, CdLayout.TBI0, CdLayout.T0SZ.getInt(cd[0]));
    if (low
        || CdLayout.EPD1.isSet(cd[0])
        || !fits(cd, CdLayout.TBI0, CdLayout.T1SZ.getInt(cd[0]))) {
      return;
    }
    int code = CdLayout.TG1.getInt(cd[0]);
    int same = code == 1 ? CdLayout.TG0_16K : code == 3 ? CdLayout.TG0_64K : CdLayout.TG0_4K;
    cd[0] = CdLayout.T0SZ.with(CdLayout.EPD0.with(cd[0], 0), CdLayout.T1SZ.get(cd[0]));
    cd[0] = CdLayout.TG0.with(cd[0], same);
    cd[1] = CdLayout.TTB0.with(cd[1], CdLayout.TTB1.get(cd[2]));
    cd[1] = CdLayout.HAD0.with(cd[1], CdLayout.HAD1.get(cd[2]));
    cd[0] = CdLayout.EPD1.with(cd[0], 1);
  }

  private boolean fits(long[] cd, dev.doorbell.bits.Field ignoresTop, int tsz) {
    long address = ignoresTop.isSet(cd[0]) ? message.address() & TOP_CUT : message.address();
    return tsz != 0 && address >>> (Long.SIZE - tsz) == 0;
  }
}
