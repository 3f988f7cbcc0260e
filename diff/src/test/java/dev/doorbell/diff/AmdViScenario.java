package dev.doorbell.diff;

import static dev.doorbell.hw.amdvi.DteLayout.*;

import dev.doorbell.bus.Translator;
import dev.doorbell.hw.amdvi.AmdViRegisters;
import dev.doorbell.hw.amdvi.IoPageLayout;
import dev.doorbell.hw.amdvi.IrteLayout;
import dev.doorbell.irq.X86MessageLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// A random scenario for an AMD IOMMU. Each change of a table is followed by an invalidation that covers it. QEMU's walk does not see that a
/// table leads to itself, so that each table here is of one level.
final class AmdViScenario {
  /// What a long run must have met.
  static final List<String> OUTCOMES =
      List.of(
          "written",
          "fault",
          "interrupt",
          "no interrupt",
          "passed",
          "amdvi-ignored-bits",
          "amdvi-forward",
          "amdvi-reserved-of-dma",
          "amdvi-table-length");

  private static final int PAGE = 4096;
  private static final long DEVICES = 0x100_0000;
  private static final long ENTRIES = 0x101_0000;
  private static final int ENTRY_BITS = 7;
  private static final long TABLES = 0x102_0000;
  private static final long TARGETS = 0x200_0000;
  private static final int TARGET_BYTES = 4 << 20;
  private static final int LAST = 511;
  private static final int[] INDEXES = {0, 1, 2, LAST};

  /// Levels of the tables, by their number.
  private static final int[] LEVELS = {3, 3, 2, 2, 2, 1, 1, 1};

  private final AmdViPair pair;
  private final AmdViCommands commands;
  private final Dice dice;
  private final Map<String, Integer> seen;
  private final Map<Integer, long[]> devices = new HashMap<>();
  private String last = "";
  private int datum = 1;

  AmdViScenario(AmdViPair pair, long seed, Map<String, Integer> seen) {
    this.pair = pair;
    this.dice = new Dice(seed);
    this.commands = new AmdViCommands(pair, dice);
    this.seen = seen;
  }

  /// {@return what was done last}
  String last() {
    return last;
  }

  private void saw(String what) {
    seen.merge(what, 1, Integer::sum);
  }

  /// {@return the first difference; empty for none}
  String run(int steps) {
    setUp();
    String difference = "";
    for (int i = 0; i < steps && difference.isEmpty(); i++) {
      int kind = dice.below(100);
      if (kind < 12) {
        difference = device(dice.of(EduPc.REQUESTERS));
      } else if (kind < 32) {
        difference = page();
      } else if (kind < 47) {
        difference = interruptEntry();
      } else if (kind < 73) {
        difference = write();
      } else {
        difference = message();
      }
    }
    return difference;
  }

  private void setUp() {
    pair.memory().fill(DEVICES, TARGETS - DEVICES + TARGET_BYTES, (byte) 0);
    pair.set(AmdViRegisters.CONTROL_REG, 0);
    pair.set(AmdViRegisters.DEV_TAB_BASE_REG, AmdViRegisters.DEV_TAB_BASE.place(DEVICES));
    commands.start();
    pair.set(
        AmdViRegisters.CONTROL_REG,
        AmdViRegisters.CMD_BUF_EN.mask() | AmdViRegisters.IOMMU_EN.mask());
    StringBuilder wrong = new StringBuilder(commands.forgetAll());
    for (int requester : EduPc.REQUESTERS) {
      wrong.append(device(requester));
    }
    for (int i = 0; i < LEVELS.length * 6; i++) {
      wrong.append(page());
    }
    for (int i = 0; i < 8; i++) {
      wrong.append(interruptEntry());
    }
    if (!wrong.isEmpty()) {
      throw new IllegalStateException(wrong.toString());
    }
  }

  /// One domain for each root table.
  private String device(int requester) {
    int table = dice.below(LEVELS.length);
    long[] dte = new long[4];
    dte[0] =
        V.mask()
            | TV.mask()
            | IR.mask()
            | IW.mask()
            | MODE.place(LEVELS[table])
            | ROOT.place(TABLES + (long) table * PAGE);
    dte[1] = DOMAIN_ID.place(1L + table);
    dte[2] =
        IV.mask()
            | INT_TAB_LEN.place(ENTRY_BITS)
            | INT_TAB_ROOT.place(entries(requester))
            | INT_CTL.place(INT_REMAP);
    switch (dice.below(16)) {
      case 0 -> dte[0] &= ~V.mask();
      case 1 -> dte[0] = MODE.with(dte[0], MODE_NONE);
      case 2 -> dte[0] = MODE.with(dte[0], 7);
      case 3 -> dte[0] &= ~IW.mask();
      case 4 -> dte[0] &= ~IR.mask();
      case 5 -> dte[0] |= 1L << dice.from(2, 6);
      case 6 -> dte[2] &= ~IV.mask();
      case 7 -> dte[2] = INT_CTL.with(dte[2], INT_ABORT);
      case 8 -> dte[2] = INT_CTL.with(dte[2], INT_FORWARD);
      case 9 -> dte[2] = INT_CTL.with(dte[2], 3);
      case 10 -> dte[2] = INT_TAB_LEN.with(dte[2], dice.from(12, 15));
      default -> {}
    }
    long at = DEVICES + (long) requester * BYTES;
    for (int i = 0; i < dte.length; i++) {
      pair.memory().write64(at + (long) i * Long.BYTES, dte[i]);
    }
    devices.put(requester, dte);
    last = "DTE 0x%x: 0x%x 0x%x 0x%x".formatted(requester, dte[0], dte[1], dte[2]);
    commands.forgetDevice(requester);
    commands.forgetInterrupts(requester);
    return commands.forgetPages(LEVELS.length);
  }

  private static long entries(int requester) {
    return ENTRIES + (long) (requester >>> 3) * PAGE;
  }

  private int tableBelow(int level) {
    List<Integer> fitting = new ArrayList<>();
    for (int i = 0; i < LEVELS.length; i++) {
      if (LEVELS[i] < level) {
        fitting.add(i);
      }
    }
    return dice.of(fitting);
  }

  private String page() {
    int number = dice.below(LEVELS.length);
    int level = LEVELS[number];
    int index = dice.of(INDEXES);
    long slot = TABLES + (long) number * PAGE + (long) index * IoPageLayout.BYTES;
    long entry = IoPageLayout.PR.mask();
    entry |= dice.percent(95) ? IoPageLayout.IW.mask() : 0;
    entry |= dice.percent(95) ? IoPageLayout.IR.mask() : 0;
    entry |= dice.percent(50) ? IoPageLayout.FC.mask() : 0;
    long target = TARGETS + (long) dice.below(TARGET_BYTES / PAGE) * PAGE;
    if (dice.percent(10)) {
      entry = 0;
    } else if (level > 1 && dice.percent(75)) {
      int below = tableBelow(level);
      entry |=
          IoPageLayout.NEXT_LEVEL.place(LEVELS[below])
              | IoPageLayout.ADDRESS.place(TABLES + (long) below * PAGE);
    } else if (level < 3 && index == LAST && dice.percent(60)) {
      // It must stand in all entries that it covers, and the last is the only one that is asked
      // for.
      // 2^bits bytes: ones from bit 12 on, and a zero one below the page's size.
      int bits = level == 1 ? dice.from(13, 20) : 22;
      long base = target & -(1L << bits) | (1L << bits - 1) - PAGE;
      entry |=
          IoPageLayout.NEXT_LEVEL.place(IoPageLayout.SIZED_PAGE) | IoPageLayout.ADDRESS.place(base);
    } else {
      entry |= IoPageLayout.ADDRESS.place(level == 1 ? target : target & -(2L << 20));
    }
    pair.memory().write64(slot, entry);
    last = "page table entry of level %d at 0x%x: 0x%x".formatted(level, slot, entry);
    return commands.forgetPages(LEVELS.length);
  }

  private String interruptEntry() {
    int requester = dice.of(EduPc.REQUESTERS);
    int index = dice.below(8);
    long word =
        IrteLayout.REMAP_EN.mask()
            | IrteLayout.INT_TYPE.place(dice.percent(80) ? 0 : 1)
            | (dice.percent(20) ? IrteLayout.DM.mask() : 0)
            | IrteLayout.DESTINATION.place(dice.below(4))
            | IrteLayout.VECTOR.place(dice.from(16, 255));
    switch (dice.below(12)) {
      case 0 -> word &= ~IrteLayout.REMAP_EN.mask();
      case 1 -> word = IrteLayout.INT_TYPE.with(word, dice.from(2, 7));
      case 2 -> word |= 1L << 7;
      case 3 -> word |= IrteLayout.SUP_IOPF.mask();
      default -> {}
    }
    pair.memory().write32(entries(requester) + (long) index * IrteLayout.BYTES, (int) word);
    last = "IRTE %d of 0x%x: 0x%x".formatted(index, requester, word);
    commands.forgetInterrupts(requester);
    return commands.execute();
  }

  /// {@return whether the device's accesses pass as they are, if they may}
  private boolean passes(int requester) {
    long low = devices.get(requester)[0];
    return !V.isSet(low) || MODE.getInt(low) == MODE_NONE;
  }

  private boolean isOdd(int requester) {
    return (devices.get(requester)[0] & 0x7c) != 0;
  }

  private long address(int requester) {
    if (passes(requester)) {
      return TARGETS + 4L * dice.below(TARGET_BYTES / 4);
    }
    long out = 4L * dice.below(PAGE / 4);
    int levels = dice.percent(90) ? Math.min(3, levels(requester)) : 3;
    for (int level = 1; level <= levels; level++) {
      out |= (long) dice.of(INDEXES) << 12 + 9 * (level - 1);
    }
    if (dice.percent(3)) {
      out |= 1L << dice.of(39, 40, 47, 62);
    }
    return X86MessageLayout.FEE.get(out) == X86MessageLayout.WINDOW ? out ^ 1L << 21 : out;
  }

  /// {@return where an address would lead if those bits counted for nothing that QEMU does not look at: beyond the root's width, and of levels
  /// that an entry skips}
  private long lenient(int requester, long address) {
    int levels = MODE.getInt(devices.get(requester)[0]);
    long within = address & (1L << 12 + 9 * levels) - 1;
    long pa = pair.translate(requester, within);
    return pa != Translator.FAULT || levels != 3
        ? pa
        : pair.translate(requester, within & ~(0x1ffL << 21));
  }

  private String write() {
    int requester = dice.of(EduPc.REQUESTERS);
    long address = address(requester);
    datum = datum % 0xffff + 1;
    last += "; 0x%x writes 0x%x to 0x%x".formatted(requester, datum, address);
    long pa = pair.translate(requester, address);
    long theirs = pa;
    if (pa == Translator.FAULT && !passes(requester) && levels(requester) <= 3) {
      theirs = lenient(requester, address);
    }
    if (theirs != Translator.FAULT && (theirs < TARGETS || theirs > TARGETS + TARGET_BYTES - 4)) {
      // It would change a table, or lies outside RAM.
      return "";
    }
    pair.write(requester, address, datum);
    String landed = landed((int) (address & PAGE - 1));
    if (landed.equals(name(pa))) {
      saw(pa == Translator.FAULT ? "fault" : passes(requester) ? "passed" : "written");
      return "";
    }
    if (pa == Translator.FAULT && landed.equals(name(theirs))) {
      saw("amdvi-ignored-bits");
      return "";
    }
    return "landed: QEMU %s, model %s; leniently %s; DTE 0x%x; %s"
        .formatted(
            landed, name(pa), name(theirs), devices.get(requester)[0], path(requester, address));
  }

  /// {@return the entries that an address meets, for messages}
  private String path(int requester, long address) {
    StringBuilder out = new StringBuilder();
    int level = levels(requester);
    long entry = devices.get(requester)[0];
    while (level > 0 && level <= 3) {
      long index = address >>> 12 + 9 * (level - 1) & 0x1ff;
      entry = pair.memory().read64(IoPageLayout.ADDRESS.get(entry) + index * IoPageLayout.BYTES);
      out.append("level %d [%d] 0x%x; ".formatted(level, index, entry));
      level = IoPageLayout.NEXT_LEVEL.getInt(entry);
    }
    return out.toString();
  }

  private int levels(int requester) {
    return MODE.getInt(devices.get(requester)[0]);
  }

  private static String name(long pa) {
    return pa == Translator.FAULT ? "nowhere" : "0x" + Long.toHexString(pa);
  }

  private String landed(int offset) {
    for (long page = TARGETS; page < TARGETS + TARGET_BYTES; page += PAGE) {
      if (pair.memory().read32(page + offset) == datum) {
        pair.memory().write32(page + offset, 0);
        return "0x" + Long.toHexString(page + offset);
      }
    }
    return "nowhere";
  }

  private String message() {
    int requester = dice.of(EduPc.REQUESTERS);
    long[] dte = devices.get(requester);
    boolean unmapped = !IV.isSet(dte[2]) || INT_CTL.getInt(dte[2]) == INT_FORWARD;
    long address =
        X86MessageLayout.FEE.place(X86MessageLayout.WINDOW)
            | X86MessageLayout.DESTINATION.place(dice.below(4));
    int data = unmapped ? 16 + dice.below(240) : dice.percent(90) ? dice.below(8) : other();
    last += "; 0x%x sends 0x%x to 0x%x".formatted(requester, data, address);
    pair.modelInterrupts.clear();
    pair.otherInterrupts();
    pair.message(requester, address, data);
    pair.write(requester, address, data);
    List<String> theirs = pair.otherInterrupts();
    List<String> model = List.copyOf(pair.modelInterrupts);
    if (model.equals(theirs)) {
      saw(model.isEmpty() ? "no interrupt" : "interrupt");
      return "";
    }
    if (INT_CTL.getInt(dte[2]) == INT_FORWARD
        && theirs.equals(List.of(EduPc.interrupt(0, 0, 0, 0)))) {
      saw("amdvi-forward");
      return "";
    }
    if (INT_TAB_LEN.getInt(dte[2]) > MOST_INT_TAB_LEN && model.isEmpty()) {
      saw("amdvi-table-length");
      return "";
    }
    if (isOdd(requester) && theirs.isEmpty()) {
      saw("amdvi-reserved-of-dma");
      return "";
    }
    return "interrupts: QEMU %s, model %s; DTE 0x%x 0x%x 0x%x"
        .formatted(theirs, model, dte[0], dte[1], dte[2]);
  }

  /// Beyond the table, or of a delivery mode that no bit of the entry lets pass.
  private int other() {
    return dice.of(0x40 + dice.below(0x80), 0x100 + dice.below(0x100), 0x200, 0x400, 0x500, 0x700);
  }
}
