package dev.doorbell.hw.riscviommu;

import static dev.doorbell.hw.riscviommu.SvPteLayout.*;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bits.BitKind;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.Translator;
import dev.doorbell.vmsa.CacheProbe;
import dev.doorbell.vmsa.Invalidation;
import dev.doorbell.vmsa.TranslationCache;

/// One thread's walk through the stages of a device context. Reused; allocates nothing but where memory does not answer.
///
/// It caches as eagerly as the architecture allows: translations of both stages together, and where the last first-stage table of an address
/// is, until the invalidation that names them. Entries that are not valid are never cached.
///
/// **Source**: RISC-V IOMMU Architecture 1.0, 2.3 (process to translate an IOVA), 2.3.3 (MSIs), 2.7 (caching); RISC-V Privileged Architecture
/// 20240411, 12.3.2 and 18.5.
final class PageWalk {
  /// Worlds of the caches.
  static final int HOST = 0;

  static final int GUEST = 1;
  private static final int READABLE = Translator.READ;
  static final int WRITABLE = Translator.WRITE;

  /// Besides {@link Translator#READ}: the access is a read for execution.
  static final int EXECUTE = 4;

  /// The access is one of supervisor privilege.
  static final int PRIVILEGED = 8;

  /// What caches hold is not asked.
  static final int FRESH = 16;

  /// Rights are looked up and not asked for; only a clean page that the access would have to make dirty is a fault (2.6).
  static final int PERMISSIVE = 32;

  /// Which stage a leaf is of, and for whom.
  static final int FIRST = 0;

  private static final int SECOND = 1;
  private static final int IMPLICIT = 2;

  /// The second stage below an entry of the first one whose A or D is to be set.
  private static final int IMPLICIT_WRITE = 3;

  /// Caches that all walks share.
  ///
  /// @param leaves translations of both stages together
  /// @param tables addresses of last tables of first stages
  record Caches(TranslationCache leaves, TranslationCache tables) {
    /// Forgets translations, and pointers to tables where asked.
    void invalidate(Invalidation what, boolean tablesToo) {
      leaves.invalidate(what);
      if (tablesToo) {
        tables.invalidate(what.within(new AddressRange(0, -1L)));
      }
    }
  }

  private final RiscvIommuFeatures features;
  private final PhysicalMemory memory;
  private final Caches caches;
  private final EventCounters events;
  private final LeafRules leaves;
  private final CacheProbe probe = new CacheProbe();
  private final CacheProbe pointer = new CacheProbe();

  /// Of the last walk: why it failed, 0 where it did not.
  int cause;

  /// Whose request is walked for; negative for no process.
  int processId = EventCounters.NONE;

  /// Of the last walk, where the cache was not asked: what the first stage made of the address.
  long guest;

  /// Of a guest-page fault: the guest physical address, with what kind of access it was.
  long iotval2;

  /// Of the last walk, where it answered {@link Translator#MESSAGE}: the memory-resident interrupt file.
  long file;

  /// Where its notice MSI goes.
  long notice;

  /// The datum of its notice MSI.
  int noticeDatum;

  PageWalk(
      RiscvIommuFeatures features, PhysicalMemory memory, Caches caches, EventCounters events) {
    this.events = events;
    this.features = features;
    this.memory = memory;
    this.caches = caches;
    this.leaves = new LeafRules(features);
  }

  /// Forgets the last walk.
  void begin() {
    cause = 0;
    iotval2 = 0;
  }

  /// {@return {@link Translator#FAULT}, of an access that was not walked}
  long refuse(int why) {
    begin();
    return fails(why);
  }

  /// Counts a walk of a process directory.
  void walksProcesses(DeviceContext c) {
    events.count(EventCounters.PROCESS_WALK, c.deviceId(), processId);
  }

  /// {@return a doubleword of a process directory, where the second stage has it; 0 with the cause where it cannot be read}
  long directory(DeviceContext c, long gpa, int access) {
    leaves.begin(c);
    try {
      long pa = implicit(c, gpa, access);
      return cause == 0 ? memory.read64(pa) : 0;
    } catch (BusErrorException e) {
      cause = FaultLayout.PDT_LOAD_FAULT;
      return 0;
    }
  }

  /// {@return the physical address; {@link Translator#FAULT} with the cause; {@link Translator#MESSAGE} with the interrupt file in memory, which is not cached}
  long translate(DeviceContext c, long iova, int access) {
    begin();
    int world = c.hasSecond() ? GUEST : HOST;
    // Without a first stage there is no PSCID.
    int who = TranslationCache.who(c.hasFirst() ? c.space() : 0, c.hasSecond() ? c.gscid() : 0);
    boolean plain = (access & ~(READABLE | WRITABLE)) == 0;
    if (plain
        && caches.leaves().find(iova, world, who, probe)
        && (probe.extra & access) == access) {
      return probe.data + within(iova, probe.size);
    }
    if (c.hasFirst() || c.hasSecond()) {
      events.count(EventCounters.TLB_MISS, c, processId);
    }
    probe.generation = caches.leaves().generation();
    pointer.generation = caches.tables().generation();
    leaves.begin(c);
    try {
      long gpa = c.hasFirst() ? firstStage(c, iova, access, who) : iova;
      guest = gpa;
      long pa = cause == 0 ? secondStage(c, gpa, access, SECOND) : Translator.FAULT;
      if (cause != 0) {
        return Translator.FAULT;
      }
      if (pa == Translator.MESSAGE) {
        return pa;
      }
      if (!fits(pa, features.outputBits())) {
        return fails(AccessFaults.access(access));
      }
      leaves.coverage = c.besideFiles(gpa, leaves.coverage);
      // Untranslated writes of both stages Bare need no cache.
      if (plain && (c.hasFirst() || c.hasSecond())) {
        keep(iova, pa, world, who);
      }
      return pa;
    } catch (BusErrorException e) {
      return fails(AccessFaults.access(access));
    }
  }

  /// {@return of the last walk, where the cache was not asked: base 2 logarithm of the range that is translated alike; a page where no table was looked at}
  int shift() {
    return leaves.coverage == Long.SIZE - 1 ? DirectoryLayout.PAGE_SHIFT : leaves.coverage;
  }

  /// {@return of the last walk, where the cache was not asked: {@link Translator#READ}, {@link Translator#WRITE} and {@link #EXECUTE} as both stages allow them}
  int rights() {
    return leaves.rights;
  }

  /// {@return of the last walk, where the cache was not asked: the memory type that leaves name}
  int memoryType() {
    return leaves.memoryType;
  }

  /// {@return of the last walk, where the cache was not asked: whether the first stage's leaf is every process's}
  boolean isGlobal() {
    return leaves.global;
  }

  private void keep(long iova, long pa, int world, int who) {
    int size = Math.min(leaves.coverage, SvPteLayout.shift(2));
    probe.data = pa - within(pa, size);
    probe.extra = leaves.rights & (READABLE | WRITABLE);
    probe.shape = TranslationCache.shape(size, world, false, DirectoryLayout.PAGE_SHIFT, 0);
    caches.leaves().insert(iova, who, probe);
  }

  private long firstStage(DeviceContext c, long iova, int access, int who) {
    int levels = levels(c.firstMode());
    if (!isCanonical(iova, levels)) {
      return fails(AccessFaults.page(access));
    }
    events.count(EventCounters.FIRST_STAGE_WALK, c, processId);
    int world = c.hasSecond() ? GUEST : HOST;
    long table = c.firstRoot();
    int level = levels - 1;
    if ((access & FRESH) == 0 && caches.tables().find(iova, world, who, pointer)) {
      table = pointer.data;
      level = 0;
    }
    while (level >= 0) {
      long at = table + index(iova, level, 0) * BYTES;
      long where = implicit(c, at, access);
      if (cause != 0) {
        return Translator.FAULT;
      }
      long pte = memory.read64(where);
      if (isLeaf(pte)) {
        long used = leaves.used(pte, level, access, FIRST);
        if (used == 0) {
          return fails(AccessFaults.page(access));
        }
        if (used != pte && c.hasSecond()) {
          // A or D is to be set, for which the second stage must let the table be written.
          secondStage(c, at, access, IMPLICIT_WRITE);
        }
        if (cause != 0) {
          return Translator.FAULT;
        }
        if (used != pte && !memory.compareAndSet64(where, pte, used)) {
          // Changed meanwhile: it is read once more.
          continue;
        }
        leaves.take(used, level, FIRST);
        return pageAt(used, level, iova);
      }
      if (!V.isSet(pte) || (pte & RESERVED_IN_POINTERS) != 0 || level == 0) {
        return fails(AccessFaults.page(access));
      }
      table = DirectoryLayout.address(PPN.get(pte));
      if (level == 1 && (access & FRESH) == 0) {
        pointer.data = table;
        pointer.extra = 0;
        pointer.shape =
            TranslationCache.shape(
                SvPteLayout.shift(1), world, false, DirectoryLayout.PAGE_SHIFT, 0);
        caches.tables().insert(iova, who, pointer);
      }
      level--;
    }
    return fails(AccessFaults.page(access));
  }

  /// {@return where a doubleword of a first-stage table or of a process directory lies; the page that the device's context names is kept with it}
  private long implicit(DeviceContext c, long gpa, int access) {
    if (!c.hasSecond()) {
      return gpa;
    }
    boolean named =
        c.process() == 0
            && (access & FRESH) == 0
            && DirectoryLayout.ppn(gpa) == DirectoryLayout.ppn(c.namedPage());
    long offset = within(gpa, DirectoryLayout.PAGE_SHIFT);
    if (named && c.root().isKnown()) {
      return c.root().page() | offset;
    }
    long pa = secondStage(c, gpa, access, IMPLICIT);
    if (named && cause == 0) {
      c.root().set(pa - offset);
    }
    return pa;
  }

  /// @param stage {@link #SECOND}; or {@link #IMPLICIT} or {@link #IMPLICIT_WRITE} where the address is that of a first-stage table
  private long secondStage(DeviceContext c, long gpa, int access, int stage) {
    if (stage == SECOND && c.isMsi(gpa)) {
      return message(c, gpa, access);
    }
    if (!c.hasSecond()) {
      return gpa;
    }
    int levels = levels(c.secondMode());
    if (!fits(gpa, SvPteLayout.shift(levels) + WIDER_ROOT_BITS)) {
      return guestFault(gpa, access, stage);
    }
    events.count(EventCounters.SECOND_STAGE_WALK, c, processId);
    int wanted = stage == SECOND ? access : stage == IMPLICIT ? READABLE : READABLE | WRITABLE;
    long table = c.secondRoot();
    int level = levels - 1;
    while (level >= 0) {
      int wider = level == levels - 1 ? WIDER_ROOT_BITS : 0;
      long at = table + index(gpa, level, wider) * BYTES;
      long pte = memory.read64(at);
      if (isLeaf(pte)) {
        long used = leaves.used(pte, level, wanted, stage);
        if (used == 0) {
          return guestFault(gpa, access, stage);
        }
        if (used != pte && !memory.compareAndSet64(at, pte, used)) {
          // Changed meanwhile: it is read once more.
          continue;
        }
        if (stage == SECOND) {
          leaves.take(used, level, stage);
        }
        return pageAt(used, level, gpa);
      }
      if (!V.isSet(pte) || (pte & RESERVED_IN_POINTERS) != 0) {
        return guestFault(gpa, access, stage);
      }
      table = DirectoryLayout.address(PPN.get(pte));
      level--;
    }
    return guestFault(gpa, access, stage);
  }

  private long message(DeviceContext c, long gpa, int access) {
    long number = MsiPteLayout.extract(DirectoryLayout.ppn(gpa), c.msiMask());
    long at = c.msiTable() | number * MsiPteLayout.BYTES;
    long first;
    long second;
    try {
      first = memory.read64(at);
      second = memory.read64(at + MsiPteLayout.SECOND_AT);
    } catch (BusErrorException e) {
      return fails(FaultLayout.MSI_LOAD_FAULT);
    }
    if (!MsiPteLayout.V.isSet(first)) {
      return fails(FaultLayout.MSI_INVALID);
    }
    int mode = MsiPteLayout.M.getInt(first);
    if (MsiPteLayout.C.isSet(first) || mode != MsiPteLayout.BASIC) {
      return mode == MsiPteLayout.MRIF && !MsiPteLayout.C.isSet(first)
          ? residentFile(first, second, access)
          : fails(FaultLayout.MSI_MISCONFIGURED);
    }
    if ((first & MsiPteLayout.FIRST.mask(BitKind.RES0)) != 0) {
      return fails(FaultLayout.MSI_MISCONFIGURED);
    }
    if (!allowsMessage(access)) {
      return fails(FaultLayout.INSTRUCTION_ACCESS_FAULT);
    }
    leaves.coverage = DirectoryLayout.PAGE_SHIFT;
    return DirectoryLayout.address(MsiPteLayout.PPN.get(first))
        | within(gpa, DirectoryLayout.PAGE_SHIFT);
  }

  /// {@return whether an access may be one to an interrupt file, which no code is in}
  private boolean allowsMessage(int access) {
    leaves.rights &= ~EXECUTE;
    leaves.global = false;
    return (access & EXECUTE) == 0 || (access & PERMISSIVE) != 0;
  }

  private long residentFile(long first, long second, int access) {
    long reserved =
        first & MsiPteLayout.FIRST_MRIF.mask(BitKind.RES0)
            | second & MsiPteLayout.NOTICE.mask(BitKind.RES0);
    if (reserved != 0 || !RiscvIommuRegisters.MSI_MRIF.isSet(features.capabilities())) {
      return fails(FaultLayout.MSI_MISCONFIGURED);
    }
    if (!allowsMessage(access)) {
      return fails(FaultLayout.INSTRUCTION_ACCESS_FAULT);
    }
    file = MsiPteLayout.file(first);
    notice = DirectoryLayout.address(MsiPteLayout.NPPN.get(second));
    noticeDatum = MsiPteLayout.notice(second);
    return Translator.MESSAGE;
  }

  private static long pageAt(long pte, int level, long address) {
    int shift = pageShift(pte, level);
    return DirectoryLayout.address(PPN.get(pte)) & -1L << shift | within(address, shift);
  }

  private long guestFault(long gpa, int access, int stage) {
    iotval2 =
        gpa & FaultLayout.GPA.mask()
            | FaultLayout.IMPLICIT.place(stage == SECOND ? 0 : 1)
            | FaultLayout.IMPLICIT_WRITE.place(stage == IMPLICIT_WRITE ? 1 : 0);
    return fails(AccessFaults.guestPage(access));
  }

  private long fails(int why) {
    cause = why;
    return Translator.FAULT;
  }
}
