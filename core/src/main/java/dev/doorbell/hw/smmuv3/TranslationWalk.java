package dev.doorbell.hw.smmuv3;

import static dev.doorbell.bus.Translator.FAULT;
import static dev.doorbell.bus.Translator.READ;
import static dev.doorbell.bus.Translator.WRITE;

import dev.doorbell.bus.AccessGate;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.hw.smmuv3.StreamContext.Context;
import dev.doorbell.hw.smmuv3.StreamContext.Stage1;
import dev.doorbell.hw.smmuv3.StreamContext.Stage2;
import dev.doorbell.hw.smmuv3.StreamContext.Updates;
import dev.doorbell.vmsa.CacheProbe;
import dev.doorbell.vmsa.DescriptorLayout;
import dev.doorbell.vmsa.Regime;
import dev.doorbell.vmsa.TranslationCache;
import org.jspecify.annotations.Nullable;

/// One translation under way: looks in the caches and walks the tables.
///
/// One object per slot of the {@link AccessGate}, used by one thread at a time, so that a translation allocates nothing.
/// Nothing is cached of a walk that ends in a fault. A page that may become dirty is walked anew for its first write; a descriptor that
/// hardware updates is updated before stage 2 of its output.
///
/// **Source** IHI 0070 F.b, 3.4, 3.13, 5.4, 7.3; DDI 0487 J.a, D8.2 to D8.5.
final class TranslationWalk {
  private static final int RW = READ | WRITE;
  private static final int PRIVILEGED = 2;
  private static final int TOP_BYTE_SHIFT = 8;
  private static final int SELECT_BIT = 55;
  private static final int LAST_LEVEL = 3;
  private static final int AP_READ_ONLY = DescriptorLayout.AP_PRIVILEGED_READ_ONLY;

  private static final long OF_STAGE_2 =
      TranslationCaches.S2_RIGHTS.mask()
          | TranslationCaches.S2_CLEAN.mask()
          | TranslationCaches.DEVICE.mask();

  final TranslationMemo memo;
  final WalkFault fault = new WalkFault();
  final Fetcher fetcher;
  final Stage2Walk second;
  private final TranslationCaches caches;
  private final CacheProbe found = new CacheProbe();
  private final CacheProbe step = new CacheProbe();

  private int vmid;

  // Of the stage 1 walk under way.
  private @Nullable Stage2 nested;
  private Updates updates = Updates.NONE;
  private int world;
  private int who;
  private boolean privileged;
  private boolean flagFaultDisabled;
  private boolean privilegedNever;
  private int apTable;

  TranslationWalk(PhysicalMemory memory, TranslationCaches caches) {
    this.caches = caches;
    memo = new TranslationMemo(caches.outcomes);
    fetcher = new Fetcher(memory);
    second = new Stage2Walk(caches, fetcher, fault);
  }

  /// {@return what {@link TranslationMemo} wants from the access's beginning}
  long epoch() {
    return caches.epoch();
  }

  /// Once before the stages of a translation.
  void begin(int streamVmid) {
    vmid = streamVmid;
    found.generation = caches.leaves1.generation();
    step.generation = caches.tables1.generation();
    second.begin(streamVmid);
  }

  /// {@return the physical address, or FAULT with the record filled}
  long translate(StreamContext stream, Stage1 stage1, Context context, long iova, int access) {
    world = stage1.world();
    nested = stream.stage2;
    flagFaultDisabled = context.flagFaultDisabled();
    updates = context.updates();
    privilegedNever = context.privilegedNever();
    privileged = stage1.privileged() || world == StreamContext.EL2;
    who =
        TranslationCache.who(
            world == StreamContext.EL2 ? 0 : context.asid(), world == StreamContext.EL1 ? vmid : 0);
    boolean upper = world != StreamContext.EL2 && (iova >>> SELECT_BIT & 1) != 0;
    Regime regime = upper ? context.high() : context.low();
    long address = regime.topByteIgnored() ? iova << TOP_BYTE_SHIFT >> TOP_BYTE_SHIFT : iova;
    if (!regime.enabled() || address >> regime.inputBits() != (upper ? -1 : 0)) {
      return fault.stage1(EventLayout.F_TRANSLATION);
    }
    if (!caches.leaves1.find(address, world, who, found) || becomesDirty(found.data, access)) {
      return walk(regime, address, access);
    }
    long data = found.data;
    long offset = address & Regime.ones(found.size);
    if (!allowed(data, access)) {
      return fault.stage1(EventLayout.F_PERMISSION);
    }
    if (nested != null && (TranslationCaches.S2_RIGHTS.get(data) & access) != access) {
      return fault.stage2(EventLayout.F_PERMISSION, EventLayout.CLASS_IN, found.extra + offset);
    }
    return TranslationCaches.OUTPUT.get(data) + offset;
  }

  // Whether the access is a write that makes a clean page dirty, in either stage.
  private boolean becomesDirty(long data, int access) {
    Stage2 stage2 = nested;
    return (access & WRITE) != 0
        && ((updates.setDirty() && TranslationCaches.S1_CLEAN.isSet(data))
            || (stage2 != null
                && stage2.updates().setDirty()
                && TranslationCaches.S2_CLEAN.isSet(data)));
  }

  private boolean allowed(long data, int access) {
    int needed = privileged ? access << PRIVILEGED : access;
    return (TranslationCaches.S1_RIGHTS.get(data) & needed) == needed;
  }

  private long walk(Regime regime, long address, int access) {
    int level = regime.startLevel();
    long table = regime.firstTable();
    apTable = 0;
    if (caches.tables1.find(address, world, who, step)
        && TranslationCaches.STEP_GRANULE.get(step.extra) == regime.granule()) {
      level = TranslationCaches.STEP_LEVEL.getInt(step.extra);
      apTable = TranslationCaches.STEP_AP_TABLE.getInt(step.extra);
      table = step.data;
    }
    for (; ; level++) {
      long input = regime.descriptor(table, level, address);
      long at = tablePlace(input, READ);
      if (at == FAULT) {
        return FAULT;
      }
      if (!fetcher.read(at)) {
        return fault.abort1(at);
      }
      long descriptor = fetcher.value;
      boolean isTable = DescriptorLayout.TABLE.isSet(descriptor);
      if (!DescriptorLayout.VALID.isSet(descriptor)
          || (level == LAST_LEVEL ? !isTable : !isTable && !regime.hasBlocks(level))) {
        return fault.stage1(EventLayout.F_TRANSLATION);
      }
      if (level == LAST_LEVEL || !isTable) {
        long updated = updated(access, descriptor);
        if (updated == descriptor || regime.tooWide(regime.address(descriptor, regime.granule()))) {
          return leaf(regime, level, address, access, descriptor);
        }
        at = tablePlace(input, RW);
        if (at == FAULT) {
          return FAULT;
        }
        if (!fetcher.update(at, descriptor, updated)) {
          return fault.abort1(at);
        }
        // What is there now is looked at: the updated one, or what somebody else wrote meanwhile.
        level--;
        continue;
      }
      table = regime.address(descriptor, regime.granule());
      if (regime.tooWide(table)) {
        return fault.stage1(EventLayout.F_ADDR_SIZE);
      }
      if (!regime.hierarchyIgnored()) {
        apTable |= DescriptorLayout.AP_TABLE.getInt(descriptor);
      }
      remember(regime, level, address, table);
    }
  }

  // Where a descriptor lies, of tables that stage 2 translates.
  private long tablePlace(long address, int access) {
    Stage2 stage2 = nested;
    return stage2 == null
        ? address
        : second.translate(stage2, address, access, EventLayout.CLASS_TT);
  }

  // The leaf as hardware leaves it: unchanged where the access is denied, or nothing is to be
  // updated.
  private long updated(int access, long descriptor) {
    long next = descriptor;
    int ap = DescriptorLayout.AP.getInt(descriptor);
    if ((access & WRITE) != 0 && updates.setDirty() && isClean(descriptor)) {
      ap &= ~AP_READ_ONLY;
      next = DescriptorLayout.AP.with(next, ap);
    }
    if (!allowed(rights(ap), access)) {
      return descriptor;
    }
    return updates.setFlags() ? next | DescriptorLayout.AF.mask() : next;
  }

  // Read-only for its own AP[2] alone, and marked as one that may be written.
  private boolean isClean(long descriptor) {
    return DescriptorLayout.DBM.isSet(descriptor)
        && (DescriptorLayout.AP.getInt(descriptor) & AP_READ_ONLY) != 0
        && (apTable & DescriptorLayout.AP_TABLE_READ_ONLY) == 0;
  }

  private void remember(Regime regime, int level, long address, long table) {
    step.data = table;
    step.extra =
        TranslationCaches.STEP_LEVEL.place(level + 1)
            | TranslationCaches.STEP_GRANULE.place(regime.granule())
            | TranslationCaches.STEP_AP_TABLE.place(apTable);
    step.shape = TranslationCache.shape(regime.shift(level), world, false, regime.granule(), level);
    caches.tables1.insert(address, who, step);
  }

  private long leaf(Regime regime, int level, long address, int access, long descriptor) {
    int block = regime.shift(level);
    long output = regime.address(descriptor, block);
    if (regime.tooWide(output)) {
      return fault.stage1(EventLayout.F_ADDR_SIZE);
    }
    if (!DescriptorLayout.AF.isSet(descriptor) && !flagFaultDisabled && !updates.setFlags()) {
      return fault.stage1(EventLayout.F_ACCESS);
    }
    long rights = rights(DescriptorLayout.AP.getInt(descriptor));
    if (!allowed(rights, access)) {
      return fault.stage1(EventLayout.F_PERMISSION);
    }
    int size =
        DescriptorLayout.CONTIGUOUS.isSet(descriptor)
            ? regime.coverage(address, level, output)
            : block;
    long ipa = output + (address & Regime.ones(block));
    long pa = ipa;
    long data = rights | TranslationCaches.S1_CLEAN.place(isClean(descriptor) ? 1 : 0);
    Stage2 stage2 = nested;
    if (stage2 != null) {
      pa = second.translate(stage2, ipa, access, EventLayout.CLASS_IN);
      if (pa == FAULT) {
        return FAULT;
      }
      size = Math.min(size, second.size);
      data |= second.data & OF_STAGE_2;
    }
    found.data = data | TranslationCaches.OUTPUT.place(pa & ~Regime.ones(size));
    found.extra = ipa & ~Regime.ones(size);
    boolean global = world == StreamContext.EL1 && !DescriptorLayout.NG.isSet(descriptor);
    found.shape = TranslationCache.shape(size, world, global, regime.granule(), level);
    caches.leaves1.insert(address, who, found);
    return pa;
  }

  private long rights(int ap) {
    boolean single = world == StreamContext.EL2;
    boolean readOnly =
        (ap & AP_READ_ONLY) != 0 || (apTable & DescriptorLayout.AP_TABLE_READ_ONLY) != 0;
    boolean user =
        (ap & DescriptorLayout.AP_READ_WRITE) != 0
            && (apTable & DescriptorLayout.AP_TABLE_PRIVILEGED) == 0;
    int granted = readOnly ? READ : RW;
    int forUser = user || single ? granted : 0;
    int forPrivileged = privilegedNever && user && !single ? 0 : granted;
    return TranslationCaches.S1_RIGHTS.place(forUser | forPrivileged << PRIVILEGED);
  }
}
