package dev.doorbell.hw.smmuv3;

import static dev.doorbell.bus.Translator.FAULT;
import static dev.doorbell.bus.Translator.WRITE;

import dev.doorbell.hw.smmuv3.StreamContext.Stage2;
import dev.doorbell.vmsa.CacheProbe;
import dev.doorbell.vmsa.DescriptorLayout;
import dev.doorbell.vmsa.Regime;
import dev.doorbell.vmsa.TranslationCache;

/// Stage 2 of a translation under way. One per thread in flight, reused; allocates nothing.
///
/// Nothing is cached of a walk that ends in a fault. A page that may become dirty is walked anew for its first write.
///
/// **Source** IHI 0070 F.b, 3.13, 5.2 STE.S2*, 7.3; DDI 0487 J.a, D8.2 to D8.5.
final class Stage2Walk {
  private static final int LAST_LEVEL = 3;

  private final TranslationCaches caches;
  private final Fetcher fetcher;
  private final WalkFault fault;
  private final CacheProbe leaf = new CacheProbe();
  private final CacheProbe step = new CacheProbe();

  private int who;
  private int access;
  private long shape;

  /// Rights, attributes and coverage of the last translation.
  long data;

  int size;

  Stage2Walk(TranslationCaches caches, Fetcher fetcher, WalkFault fault) {
    this.caches = caches;
    this.fetcher = fetcher;
    this.fault = fault;
  }

  /// Once before the first use in a translation.
  void begin(int vmid) {
    who = TranslationCache.who(0, vmid);
    leaf.generation = caches.leaves2.generation();
    step.generation = caches.tables2.generation();
  }

  /// {@return the physical address of an IPA, or FAULT with the record filled}
  ///
  /// @param wanted what is done there
  /// @param inClass what the IPA is of: a CD, a stage 1 descriptor, or the access itself
  long translate(Stage2 stage2, long ipa, int wanted, int inClass) {
    Regime regime = stage2.regime();
    if (ipa >>> regime.inputBits() != 0) {
      return fault.stage2(EventLayout.F_TRANSLATION, inClass, ipa);
    }
    access = wanted;
    boolean hit =
        caches.leaves2.find(ipa, StreamContext.EL1, who, leaf) && !becomesDirty(stage2, leaf.data);
    if (hit) {
      data = leaf.data;
      size = leaf.size;
    } else if (!walk(stage2, ipa, inClass)) {
      return FAULT;
    }
    if ((TranslationCaches.S2_RIGHTS.get(data) & access) != access) {
      return denied(inClass, ipa);
    }
    if (isProtected(stage2, inClass)) {
      return denied(inClass, ipa);
    }
    if (!hit) {
      leaf.data = data;
      leaf.extra = 0;
      leaf.shape = shape;
      caches.leaves2.insert(ipa, who, leaf);
    }
    return TranslationCaches.OUTPUT.get(data) + (ipa & Regime.ones(size));
  }

  // S2PTW: tables do not lie in device memory.
  private boolean isProtected(Stage2 stage2, int inClass) {
    return inClass != EventLayout.CLASS_IN
        && stage2.protectedWalk()
        && TranslationCaches.DEVICE.isSet(data);
  }

  private long denied(int inClass, long ipa) {
    fault.stage2(EventLayout.F_PERMISSION, inClass, ipa);
    fault.tableRead &= (access & WRITE) == 0;
    return FAULT;
  }

  // Whether the access is a write that makes a clean page dirty.
  private boolean becomesDirty(Stage2 stage2, long leafData) {
    return (access & WRITE) != 0
        && stage2.updates().setDirty()
        && TranslationCaches.S2_CLEAN.isSet(leafData);
  }

  private boolean walk(Stage2 stage2, long ipa, int inClass) {
    Regime regime = stage2.regime();
    int level = regime.startLevel();
    long table = regime.firstTable();
    if (caches.tables2.find(ipa, StreamContext.EL1, who, step)
        && TranslationCaches.STEP_GRANULE.get(step.extra) == regime.granule()) {
      level = TranslationCaches.STEP_LEVEL.getInt(step.extra);
      table = step.data;
    }
    for (; ; level++) {
      long at = regime.descriptor(table, level, ipa);
      if (!fetcher.read(at)) {
        fault.abort2(inClass, at);
        return false;
      }
      long descriptor = fetcher.value;
      boolean isTable = DescriptorLayout.S2_TABLE.isSet(descriptor);
      if (!DescriptorLayout.S2_VALID.isSet(descriptor)
          || (level == LAST_LEVEL ? !isTable : !isTable && !regime.hasBlocks(level))) {
        fault.stage2(EventLayout.F_TRANSLATION, inClass, ipa);
        return false;
      }
      if (level == LAST_LEVEL || !isTable) {
        if (!leaf(stage2, level, ipa, inClass, descriptor)) {
          return false;
        }
        long updated = updated(stage2, inClass, descriptor);
        if (updated == descriptor) {
          return true;
        }
        if (!fetcher.update(at, descriptor, updated)) {
          fault.abort2(inClass, at);
          return false;
        }
        // What is there now is looked at: the updated one, or what somebody else wrote meanwhile.
        level--;
        continue;
      }
      table = regime.address(descriptor, regime.granule());
      if (regime.tooWide(table)) {
        fault.stage2(EventLayout.F_ADDR_SIZE, inClass, ipa);
        return false;
      }
      step.data = table;
      step.extra =
          TranslationCaches.STEP_LEVEL.place(level + 1)
              | TranslationCaches.STEP_GRANULE.place(regime.granule());
      step.shape =
          TranslationCache.shape(
              regime.shift(level), StreamContext.EL1, false, regime.granule(), level);
      caches.tables2.insert(ipa, who, step);
    }
  }

  private boolean leaf(Stage2 stage2, int level, long ipa, int inClass, long descriptor) {
    Regime regime = stage2.regime();
    int block = regime.shift(level);
    long output = regime.address(descriptor, block);
    if (regime.tooWide(output)) {
      fault.stage2(EventLayout.F_ADDR_SIZE, inClass, ipa);
      return false;
    }
    if (!DescriptorLayout.S2_AF.isSet(descriptor)
        && !stage2.updates().setFlags()
        && !stage2.flagFaultDisabled()) {
      fault.stage2(EventLayout.F_ACCESS, inClass, ipa);
      return false;
    }
    size = block;
    if (DescriptorLayout.S2_CONTIGUOUS.isSet(descriptor)) {
      size = regime.coverage(ipa, level, output);
    }
    long start = (output + (ipa & Regime.ones(block))) & ~Regime.ones(size);
    boolean device =
        DescriptorLayout.S2_MEM_ATTR.get(descriptor) <= DescriptorLayout.MEM_ATTR_LAST_DEVICE;
    int rights = DescriptorLayout.S2_AP.getInt(descriptor);
    boolean clean = (rights & WRITE) == 0 && DescriptorLayout.S2_DBM.isSet(descriptor);
    data =
        TranslationCaches.OUTPUT.place(start)
            | TranslationCaches.S2_RIGHTS.place(rights)
            | TranslationCaches.DEVICE.place(device ? 1 : 0)
            | TranslationCaches.S2_CLEAN.place(clean ? 1 : 0);
    shape = TranslationCache.shape(size, StreamContext.EL1, false, regime.granule(), level);
    return true;
  }

  // The leaf as hardware leaves it: unchanged where the access is denied, or nothing is to be
  // updated.
  private long updated(Stage2 stage2, int inClass, long descriptor) {
    long next = descriptor;
    long rights = TranslationCaches.S2_RIGHTS.get(data);
    if (becomesDirty(stage2, data)) {
      next |= DescriptorLayout.S2_AP.place(WRITE);
      rights |= WRITE;
    }
    boolean allowed = (rights & access) == access && !isProtected(stage2, inClass);
    if (allowed && stage2.updates().setFlags()) {
      next |= DescriptorLayout.S2_AF.mask();
    }
    return allowed ? next : descriptor;
  }
}
