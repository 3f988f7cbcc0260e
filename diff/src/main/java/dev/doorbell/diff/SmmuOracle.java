package dev.doorbell.diff;

import dev.doorbell.bits.Register;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.bus.Translator;
import dev.doorbell.hw.smmuv3.EventLayout;
import dev.doorbell.hw.smmuv3.SmmuFeatures;
import dev.doorbell.hw.smmuv3.SmmuModel;
import dev.doorbell.hw.smmuv3.SmmuRegisters;
import dev.doorbell.hw.smmuv3.SmmuWires;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What a message may lead to when each table entry is read as it is now, or as it was at any time since it could last be cached: every
/// choice is tried on a model that has cached nothing.
///
/// **Source** IHI 0070 G.b, 3.21 (invalidation rules), 16.2 (caching).
final class SmmuOracle {
  private static final int MOST_RUNS = 300;
  private static final int CACHED = 16;

  /// Of a choice that leads to nothing that an SMMU shows.
  private static final SmmuOutcome NONE = new SmmuOutcome(SmmuOutcome.NOWHERE - 1, List.of());

  private final SmmuFeatures features;
  private final PhysicalMemory memory;
  private final History history;
  private final CommandLog commands;
  private final boolean tagged;
  private boolean undetermined;
  private Map<Long, Long> registers = Map.of();

  SmmuOracle(SmmuFeatures features, PhysicalMemory memory, History history, CommandLog commands) {
    this.features = features.withCachedTranslations(CACHED);
    tagged = SmmuRegisters.IDR0_S2P.isSet(features.idr0());
    this.memory = memory;
    this.history = history;
    this.commands = commands;
  }

  /// Forgets what happened later.
  ///
  /// @param written registers as they had been written then
  void goBack(int time, Map<Long, Long> written) {
    history.goBack(time);
    commands.goBack(time);
    registers = written;
  }

  /// {@return what software had written}
  long register(Register register) {
    return registers.getOrDefault(Board.SMMU + register.offset(), 0L);
  }

  /// {@return every permitted outcome, with a record even if the queue would have no room for it; empty when there are too many to try, or they cannot be told}
  Optional<Set<SmmuOutcome>> permitted(Step.Access message, Set<SmmuQuirk> quirks) {
    return outcomes(message, quirks, false);
  }

  /// {@return what a cached translation for every ASID permits, whichever CD it was made by; empty as above}
  Optional<Set<SmmuOutcome>> permittedByGlobal(Step.Access message) {
    return outcomes(message, EnumSet.noneOf(SmmuQuirk.class), true);
  }

  private Optional<Set<SmmuOutcome>> outcomes(
      Step.Access message, Set<SmmuQuirk> quirks, boolean globals) {
    Set<SmmuOutcome> out = new HashSet<>();
    undetermined = false;
    Choices choices = new Choices();
    for (int run = 0; run < MOST_RUNS; run++) {
      out.add(once(message, quirks, choices, globals));
      if (undetermined) {
        return Optional.empty();
      }
      if (!choices.next()) {
        return Optional.of(out);
      }
    }
    return Optional.empty();
  }

  /// {@return the outcome that reads everything as it is now, on an SMMU without quirks}
  SmmuOutcome fresh(Step.Access message) {
    return once(message, EnumSet.noneOf(SmmuQuirk.class), new Choices(), false);
  }

  private SmmuOutcome once(
      Step.Access message, Set<SmmuQuirk> quirks, Choices choices, boolean globals) {
    TableReads reads = new TableReads(history, commands, message, tagged, globals);
    long tableConfig = register(SmmuRegisters.STRTAB_BASE_CFG);
    OracleMemory view = new OracleMemory(memory, reads, choices, quirks, tableConfig);
    SmmuModel model = model(view, quirks);
    long pa = model.translate(message.requester(), -1, message.address(), message.direction());
    undetermined |= reads.undetermined();
    if (globals && !reads.metGlobal()) {
      return NONE;
    }
    SmmuRecord record = view.recorded();
    if (quirks.contains(SmmuQuirk.EAGER_TABLES) && reads.nested()) {
      Optional<SmmuOutcome> refused = eager(message, reads, view, quirks);
      if (refused.isPresent()) {
        return refused.get();
      }
    }
    if (view.sizeLast() && (record == null || !isFoundBehindSize(record))) {
      return NONE;
    }
    if (quirks.contains(SmmuQuirk.SILENT_IPA_SIZE)
        && reads.second()
        && message.address() >>> SmmuGenerator.outputBits() != 0
        && record != null
        && record.id() >= EventLayout.F_TRANSLATION) {
      return outcome(reads, Translator.FAULT, null);
    }
    if (quirks.contains(SmmuQuirk.TABLE_PERMISSION) && reads.tableDenied()) {
      return refused(record, reads, view, quirks);
    }
    if (quirks.contains(SmmuQuirk.BLOCK_LEVEL)
        && reads.metReservedBlock()
        && pa == Translator.FAULT) {
      if (reads.reservedFaultsAccess() && !quirks.contains(SmmuQuirk.NO_ACCESS_FLAG)) {
        return outcome(
            reads,
            pa,
            record == null
                ? null
                : adapted(with(record, EventLayout.F_ACCESS), view, reads, quirks));
      }
      if (reads.second() && reads.reservedOutput() >>> SmmuGenerator.outputBits() != 0) {
        return outcome(
            reads,
            pa,
            record == null
                ? null
                : adapted(with(record, EventLayout.F_ADDR_SIZE), view, reads, quirks));
      }
      return reads.reservedDenies()
          ? refused(record, reads, view, quirks)
          : outcome(reads, reads.reservedOutput(), null);
    }
    return outcome(reads, pa, record == null ? null : adapted(record, view, reads, quirks));
  }

  private SmmuModel model(OracleMemory view, Set<SmmuQuirk> quirks) {
    SmmuModel model = new SmmuModel(features(quirks), view, new Sink(), SmmuWires.NONE);
    set(model, SmmuRegisters.EVENTQ_BASE, OracleMemory.EVENTS | 1);
    set(model, SmmuRegisters.STRTAB_BASE, register(SmmuRegisters.STRTAB_BASE));
    set(model, SmmuRegisters.STRTAB_BASE_CFG, register(SmmuRegisters.STRTAB_BASE_CFG));
    long cr2 = register(SmmuRegisters.CR2);
    if (quirks.contains(SmmuQuirk.RECORDS_BAD_STREAM)) {
      cr2 = SmmuRegisters.CR2_RECINVSID.with(cr2, 1);
    }
    set(model, SmmuRegisters.CR2, cr2);
    set(
        model,
        SmmuRegisters.CR0,
        (register(SmmuRegisters.CR0) & SmmuRegisters.CR0_SMMUEN.mask())
            | SmmuRegisters.CR0_EVENTQEN.mask());
    return model;
  }

  /// {@return what becomes of an access where stage 2 refuses a table of the CD, whether it is needed or not}
  private Optional<SmmuOutcome> eager(
      Step.Access message, TableReads reads, OracleMemory view, Set<SmmuQuirk> quirks) {
    for (long table : view.eagerTables()) {
      view.leaveStage2Alone();
      long address = table & -(long) Long.BYTES;
      if (model(view, quirks).translate(message.requester(), -1, address, Translator.READ)
          == Translator.FAULT) {
        SmmuRecord record = view.recorded();
        return Optional.of(
            outcome(
                reads,
                Translator.FAULT,
                record == null ? null : ofEagerTable(record, message.address(), table)));
      }
    }
    return Optional.empty();
  }

  private static SmmuRecord ofEagerTable(SmmuRecord record, long input, long table) {
    long word1 =
        EventLayout.S2.place(1)
            | EventLayout.CLASS.place(EventLayout.CLASS_TT)
            | EventLayout.RNW.place(1);
    boolean fetch = record.id() == EventLayout.F_WALK_EABT;
    return new SmmuRecord(record.word0(), word1, input, fetch ? record.word3() : table);
  }

  private static boolean isFoundBehindSize(SmmuRecord record) {
    return record.id() == EventLayout.F_ACCESS || record.id() == EventLayout.F_PERMISSION;
  }

  private SmmuOutcome outcome(TableReads reads, long pa, @Nullable SmmuRecord record) {
    List<SmmuRecord> records = record == null ? List.of() : List.of(record);
    boolean ram = Landing.isRam(pa);
    if (reads.isRead()) {
      return SmmuOutcome.read(ram ? Integer.toUnsignedLong(memory.read32(pa)) : 0, records);
    }
    return new SmmuOutcome(ram ? pa : SmmuOutcome.NOWHERE, records);
  }

  /// F_PERMISSION instead of the model's fault, recorded where CD.R says so.
  private SmmuOutcome refused(
      @Nullable SmmuRecord record, TableReads reads, OracleMemory view, Set<SmmuQuirk> quirks) {
    return record == null || !reads.recorded()
        ? outcome(reads, Translator.FAULT, null)
        : outcome(reads, Translator.FAULT, adapted(denied(record, reads), view, reads, quirks));
  }

  private static SmmuRecord denied(SmmuRecord record, TableReads reads) {
    SmmuRecord first =
        reads.nested()
            ? new SmmuRecord(
                record.word0(), record.word1() & EventLayout.RNW.mask(), record.word2(), 0)
            : record;
    return with(first, EventLayout.F_PERMISSION);
  }

  private static SmmuRecord with(SmmuRecord record, int id) {
    return new SmmuRecord(
        EventLayout.EVENT_ID.with(record.word0(), id),
        EventLayout.CLASS.with(record.word1(), EventLayout.CLASS_IN),
        record.word2(),
        EventLayout.S2.isSet(record.word1()) ? record.word3() : 0);
  }

  private SmmuFeatures features(Set<SmmuQuirk> quirks) {
    SmmuFeatures f = features;
    if (quirks.contains(SmmuQuirk.NO_OUTPUT_SIZE)
        || quirks.contains(SmmuQuirk.SIZE_LAST)
        || quirks.contains(SmmuQuirk.CONTEXT_PTR_CUT)
        || quirks.contains(SmmuQuirk.CONTEXT_PTR_WHOLE)) {
      f = f.withOutputBits(48);
    }
    if (quirks.contains(SmmuQuirk.NO_UNPRIVILEGED_CHECK)) {
      f = f.withIdr1(SmmuRegisters.IDR1_ATTR_PERMS_OVR, 1);
    }
    return f;
  }

  private static @Nullable SmmuRecord adapted(
      SmmuRecord record, OracleMemory view, TableReads reads, Set<SmmuQuirk> quirks) {
    int id = record.id();
    if (id >= EventLayout.F_TRANSLATION
        && id <= EventLayout.F_PERMISSION
        && EventLayout.S2.isSet(record.word1())) {
      return ofSecondStage(record, reads, quirks);
    }
    if (id == EventLayout.F_ADDR_SIZE
        && quirks.contains(SmmuQuirk.NESTED_SIZE)
        && reads.wideTable() != 0) {
      long word1 = EventLayout.CLASS.with(record.word1(), EventLayout.CLASS_TT);
      return new SmmuRecord(record.word0(), word1, record.word2(), reads.wideTable());
    }
    if (id >= EventLayout.F_TRANSLATION
        && id <= EventLayout.F_PERMISSION
        && quirks.contains(SmmuQuirk.CLASS_ZERO)) {
      return new SmmuRecord(
          record.word0(),
          EventLayout.CLASS.with(record.word1(), 0),
          record.word2(),
          record.word3());
    }
    if ((id == EventLayout.F_STE_FETCH || id == EventLayout.F_CD_FETCH)
        && quirks.contains(SmmuQuirk.FETCH_ADDRESS)) {
      boolean whole =
          id == EventLayout.F_CD_FETCH
              && quirks.contains(SmmuQuirk.CONTEXT_PTR_WHOLE)
              && reads.contextIsBeyond();
      long address = whole ? reads.contextPointer() : record.word3();
      return new SmmuRecord(record.word0(), record.word1(), address, 0);
    }
    if (id == EventLayout.C_BAD_STREAMID && view.spanned() && quirks.contains(SmmuQuirk.SPAN)) {
      long word0 = EventLayout.EVENT_ID.with(record.word0(), EventLayout.C_BAD_STE);
      return new SmmuRecord(word0, record.word1(), record.word2(), record.word3());
    }
    return record;
  }

  private static @Nullable SmmuRecord ofSecondStage(
      SmmuRecord record, TableReads reads, Set<SmmuQuirk> quirks) {
    long word1 = record.word1();
    long ipa = record.word3();
    int faultClass = EventLayout.CLASS.getInt(word1);
    boolean inContext =
        faultClass == EventLayout.CLASS_CD
            || (faultClass == EventLayout.CLASS_TT && reads.atFirstTable());
    if (quirks.contains(SmmuQuirk.SILENT_IPA_SIZE)
        && faultClass == EventLayout.CLASS_CD
        && ipa >>> SmmuGenerator.outputBits() != 0) {
      return null;
    }
    if (quirks.contains(SmmuQuirk.TABLE_OF_FIRST)
        && faultClass == EventLayout.CLASS_TT
        && !inContext) {
      if (!reads.recorded()) {
        return null;
      }
      word1 = EventLayout.S2.with(word1, 0);
    }
    if (quirks.contains(SmmuQuirk.NESTED_READS) && inContext) {
      word1 = EventLayout.RNW.with(word1, 1);
    }
    if (quirks.contains(SmmuQuirk.NO_TABLE_READ)) {
      word1 = EventLayout.TTRNW.with(word1, 0);
    }
    if (quirks.contains(SmmuQuirk.TABLE_IPA) && faultClass == EventLayout.CLASS_TT) {
      ipa = reads.tableOf(ipa);
    }
    if (quirks.contains(SmmuQuirk.IPA_WHOLE)) {
      ipa = reads.wholeIpa(ipa, faultClass);
    }
    return new SmmuRecord(record.word0(), word1, record.word2(), ipa);
  }

  private static void set(SmmuModel model, Register register, long value) {
    model.write(register.offset(), value, register.bytes(), SystemBus.CPU);
  }

  private static final class Sink implements SystemBus {
    @Override
    public BusOutcome write(long pa, long value, int bytes, int requester) {
      return BusOutcome.OK;
    }

    @Override
    public BusRead read(long pa, int bytes) {
      return BusRead.error(bytes);
    }
  }
}
