package dev.doorbell.hw.smmuv2;

import static dev.doorbell.bus.Translator.FAULT;
import static dev.doorbell.bus.Translator.READ;
import static dev.doorbell.bus.Translator.WRITE;

import dev.doorbell.bits.Field;
import dev.doorbell.bus.BusException;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.vmsa.CacheProbe;
import dev.doorbell.vmsa.DescriptorLayout;
import dev.doorbell.vmsa.Regime;
import dev.doorbell.vmsa.TranslationCache;
import org.jspecify.annotations.Nullable;

/// One translation under way: looks in the caches and walks the tables; then, where it ended in a fault, what the registers will say of it.
///
/// One object a slot of the gate, used by one thread at a time, so that a translation allocates nothing. Nothing is cached of a
/// walk that ends in a fault.
///
/// **Source** IHI 0062 D.c, 2.3, 3.6; DDI 0487 J.a, D8.2 to D8.4.
final class BankWalk {
  private static final int RW = READ | WRITE;
  private static final int PRIVILEGED = 2;
  private static final int LAST_LEVEL = 3;
  private static final int UPSTREAM_SHIFT = Long.SIZE - 49;

  private final Tlb tlb;
  private final PhysicalMemory memory;
  private final boolean signExtends;
  private final CacheProbe leaf1 = new CacheProbe();
  private final CacheProbe step1 = new CacheProbe();
  private final CacheProbe leaf2 = new CacheProbe();
  private final CacheProbe step2 = new CacheProbe();

  // Of the access.
  int streamId;
  long iova;
  int access;

  // Of the fault.
  Field cause = BankRegisters.FSR_TF;
  int level;
  boolean inTableWalk;
  boolean forFirstStage;
  boolean bothStages;
  long ipa;
  int firstBank;
  @Nullable BankContext faulting;

  // Of the walk.
  private @Nullable BankContext nested;
  private int who1;
  private int who2;
  private boolean privileged;
  private int apTable;
  private long word;
  private int size2;
  private long data2;

  /// @param signExtends whether bit 48 of an upstream address chooses the half
  BankWalk(Tlb tlb, PhysicalMemory memory, boolean signExtends) {
    this.tlb = tlb;
    this.memory = memory;
    this.signExtends = signExtends;
  }

  /// {@return this walk, about to begin}
  BankWalk of(int stream, long address, int wanted) {
    streamId = stream;
    iova = address;
    access = wanted;
    faulting = null;
    return this;
  }

  /// {@return the physical address, or FAULT}
  ///
  /// @param second the bank of stage 2, of a nested one that has stage 2 on
  /// @param asPrivileged whether the access counts as privileged
  long translate(BankContext bank, @Nullable BankContext second, boolean asPrivileged) {
    privileged = asPrivileged;
    nested = second;
    int vmid = second == null ? bank.vmid() : second.vmid();
    who1 = TranslationCache.who(bank.asid(), vmid);
    who2 = TranslationCache.who(0, vmid);
    firstBank = second == null ? 0 : bank.number();
    leaf1.generation = tlb.leaves1.generation();
    step1.generation = tlb.tables1.generation();
    leaf2.generation = tlb.leaves2.generation();
    step2.generation = tlb.tables2.generation();
    if (bank.isStage2()) {
      return stage2(bank, iova, access, false);
    }
    if (!bank.enabled()) {
      return second == null ? iova : stage2(second, iova, access, false);
    }
    return stage1(bank);
  }

  private long stage1(BankContext bank) {
    long address = iova;
    if (signExtends && bank.format() == BankContext.FORMAT_AARCH64) {
      address = iova << UPSTREAM_SHIFT >> UPSTREAM_SHIFT;
    }
    boolean upper = address < 0;
    Regime regime = upper ? bank.high() : bank.low();
    boolean lost = address != iova && (iova >> (Long.SIZE - UPSTREAM_SHIFT)) != 0;
    if (lost || !regime.enabled() || address >> regime.inputBits() != (upper ? -1 : 0)) {
      return fault(bank, BankRegisters.FSR_TF, 0);
    }
    if (!tlb.leaves1.find(address, Tlb.WORLD, who1, leaf1)) {
      return walk1(bank, regime, address);
    }
    long data = leaf1.data;
    long offset = address & Regime.ones(leaf1.size);
    if (!allowed(data)) {
      return fault(bank, BankRegisters.FSR_PF, Tlb.LEVEL.getInt(data));
    }
    BankContext second = nested;
    if (second != null && (Tlb.S2_RIGHTS.get(data) & access) != access) {
      ipa = leaf1.extra + offset;
      return fault2(second, BankRegisters.FSR_PF, Tlb.LEVEL.getInt(data), false);
    }
    return Tlb.OUTPUT.get(data) + offset;
  }

  private long walk1(BankContext bank, Regime regime, long address) {
    int at = regime.startLevel();
    long table = regime.firstTable();
    apTable = 0;
    if (tlb.tables1.find(address, Tlb.WORLD, who1, step1)
        && Tlb.STEP_GRANULE.get(step1.extra) == regime.granule()) {
      at = Tlb.STEP_LEVEL.getInt(step1.extra);
      apTable = Tlb.STEP_AP_TABLE.getInt(step1.extra);
      table = step1.data;
    }
    for (; ; at++) {
      long entry = regime.descriptor(table, at, address);
      BankContext second = nested;
      if (second != null) {
        entry = stage2(second, entry, READ, true);
        if (entry == FAULT) {
          return FAULT;
        }
      }
      if (!read(entry)) {
        return fault(bank, BankRegisters.FSR_EF, at);
      }
      boolean isTable = DescriptorLayout.TABLE.isSet(word);
      if (!DescriptorLayout.VALID.isSet(word)
          || (at == LAST_LEVEL ? !isTable : !isTable && !regime.hasBlocks(at))) {
        return fault(bank, BankRegisters.FSR_TF, at);
      }
      if (at == LAST_LEVEL || !isTable) {
        return leaf1(bank, regime, at, address);
      }
      table = DescriptorLayout.NEXT_TABLE.get(word) & ~Regime.ones(regime.granule());
      if (regime.tooWide(table)) {
        return fault(bank, BankRegisters.FSR_TF, at);
      }
      apTable |= DescriptorLayout.AP_TABLE.getInt(word);
      step1.data = table;
      step1.extra =
          Tlb.STEP_LEVEL.place(at + 1)
              | Tlb.STEP_GRANULE.place(regime.granule())
              | Tlb.STEP_AP_TABLE.place(apTable);
      step1.shape =
          TranslationCache.shape(regime.shift(at), Tlb.WORLD, false, regime.granule(), at);
      tlb.tables1.insert(address, who1, step1);
    }
  }

  private long leaf1(BankContext bank, Regime regime, int at, long address) {
    int block = regime.shift(at);
    long descriptor = word;
    long output = DescriptorLayout.OUTPUT_ADDRESS.get(descriptor) & ~Regime.ones(block);
    if (regime.tooWide(output)) {
      return fault(bank, BankRegisters.FSR_TF, at);
    }
    if (!DescriptorLayout.AF.isSet(descriptor) && !bank.flagFaultDisabled()) {
      return fault(bank, BankRegisters.FSR_AFF, at);
    }
    long data = rights(DescriptorLayout.AP.getInt(descriptor));
    if (!allowed(data)) {
      return fault(bank, BankRegisters.FSR_PF, at);
    }
    int size =
        DescriptorLayout.CONTIGUOUS.isSet(descriptor)
            ? regime.coverage(address, at, output)
            : block;
    long intermediate = output + (address & Regime.ones(block));
    long pa = intermediate;
    BankContext second = nested;
    if (second != null) {
      pa = stage2(second, intermediate, access, false);
      if (pa == FAULT) {
        return FAULT;
      }
      size = Math.min(size, size2);
      data |= data2 & Tlb.S2_RIGHTS.mask();
    }
    leaf1.data = data | Tlb.LEVEL.place(at) | Tlb.OUTPUT.place(pa & ~Regime.ones(size));
    leaf1.extra = intermediate & ~Regime.ones(size);
    boolean global = !DescriptorLayout.NG.isSet(descriptor);
    leaf1.shape = TranslationCache.shape(size, Tlb.WORLD, global, regime.granule(), at);
    tlb.leaves1.insert(address, who1, leaf1);
    return pa;
  }

  /// @param forTable whether the access is the read of a descriptor of stage 1
  private long stage2(BankContext bank, long input, int wanted, boolean forTable) {
    ipa = input;
    Regime regime = bank.low();
    if (!bank.enabled()) {
      size2 = Long.SIZE - 1;
      data2 = Tlb.S2_RIGHTS.place(RW);
      return input;
    }
    if (!regime.enabled() || input >>> regime.inputBits() != 0) {
      return fault2(bank, BankRegisters.FSR_TF, 0, forTable);
    }
    boolean hit = tlb.leaves2.find(input, Tlb.WORLD, who2, leaf2);
    if (hit) {
      data2 = leaf2.data;
      size2 = leaf2.size;
    } else if (!walk2(bank, input, forTable)) {
      return FAULT;
    }
    if ((Tlb.S2_RIGHTS.get(data2) & wanted) != wanted) {
      return fault2(bank, BankRegisters.FSR_PF, Tlb.LEVEL.getInt(data2), forTable);
    }
    if (!hit) {
      leaf2.data = data2;
      leaf2.extra = 0;
      tlb.leaves2.insert(input, who2, leaf2);
    }
    return Tlb.OUTPUT.get(data2) + (input & Regime.ones(size2));
  }

  private boolean walk2(BankContext bank, long input, boolean forTable) {
    Regime regime = bank.low();
    int at = regime.startLevel();
    long table = regime.firstTable();
    if (tlb.tables2.find(input, Tlb.WORLD, who2, step2)
        && Tlb.STEP_GRANULE.get(step2.extra) == regime.granule()) {
      at = Tlb.STEP_LEVEL.getInt(step2.extra);
      table = step2.data;
    }
    for (; ; at++) {
      if (!read(regime.descriptor(table, at, input))) {
        return missed(bank, BankRegisters.FSR_EF, at, forTable);
      }
      boolean isTable = DescriptorLayout.S2_TABLE.isSet(word);
      if (!DescriptorLayout.S2_VALID.isSet(word)
          || (at == LAST_LEVEL ? !isTable : !isTable && !regime.hasBlocks(at))) {
        return missed(bank, BankRegisters.FSR_TF, at, forTable);
      }
      if (at == LAST_LEVEL || !isTable) {
        return leaf2(bank, at, input, forTable);
      }
      table = DescriptorLayout.S2_NEXT_TABLE.get(word) & ~Regime.ones(regime.granule());
      if (regime.tooWide(table)) {
        return missed(bank, BankRegisters.FSR_TF, at, forTable);
      }
      step2.data = table;
      step2.extra = Tlb.STEP_LEVEL.place(at + 1) | Tlb.STEP_GRANULE.place(regime.granule());
      step2.shape =
          TranslationCache.shape(regime.shift(at), Tlb.WORLD, false, regime.granule(), at);
      tlb.tables2.insert(input, who2, step2);
    }
  }

  private boolean leaf2(BankContext bank, int at, long input, boolean forTable) {
    Regime regime = bank.low();
    int block = regime.shift(at);
    long output = DescriptorLayout.S2_OUTPUT.get(word) & ~Regime.ones(block);
    if (regime.tooWide(output)) {
      return missed(bank, BankRegisters.FSR_TF, at, forTable);
    }
    if (!DescriptorLayout.S2_AF.isSet(word) && !bank.flagFaultDisabled()) {
      return missed(bank, BankRegisters.FSR_AFF, at, forTable);
    }
    size2 = DescriptorLayout.S2_CONTIGUOUS.isSet(word) ? regime.coverage(input, at, output) : block;
    long start = (output + (input & Regime.ones(block))) & ~Regime.ones(size2);
    data2 =
        Tlb.OUTPUT.place(start)
            | Tlb.LEVEL.place(at)
            | Tlb.S2_RIGHTS.place(DescriptorLayout.S2_AP.get(word));
    leaf2.shape = TranslationCache.shape(size2, Tlb.WORLD, false, regime.granule(), at);
    return true;
  }

  private boolean allowed(long data) {
    int needed = privileged ? access << PRIVILEGED : access;
    return (Tlb.S1_RIGHTS.get(data) & needed) == needed;
  }

  private long rights(int ap) {
    boolean readOnly =
        (ap & DescriptorLayout.AP_PRIVILEGED_READ_ONLY) != 0
            || (apTable & DescriptorLayout.AP_TABLE_READ_ONLY) != 0;
    boolean user =
        (ap & DescriptorLayout.AP_READ_WRITE) != 0
            && (apTable & DescriptorLayout.AP_TABLE_PRIVILEGED) == 0;
    int granted = readOnly ? READ : RW;
    return Tlb.S1_RIGHTS.place((user ? granted : 0) | granted << PRIVILEGED);
  }

  private boolean read(long pa) {
    try {
      word = memory.read64(pa);
      return true;
    } catch (BusException _) {
      return false;
    }
  }

  private boolean missed(BankContext bank, Field what, int at, boolean forTable) {
    fault2(bank, what, at, forTable);
    return false;
  }

  private long fault2(BankContext bank, Field what, int at, boolean forTable) {
    fault(bank, what, at);
    forFirstStage = forTable;
    return FAULT;
  }

  private long fault(BankContext bank, Field what, int at) {
    faulting = bank;
    cause = what;
    level = at;
    // A descriptor that could not be read is a fault of the walk itself.
    inTableWalk = what == BankRegisters.FSR_EF;
    forFirstStage = false;
    bothStages = bank == nested;
    if (!bank.isStage2()) {
      ipa = 0;
      firstBank = 0;
    }
    return FAULT;
  }
}
