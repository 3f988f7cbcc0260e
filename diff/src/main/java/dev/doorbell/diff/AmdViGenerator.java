package dev.doorbell.diff;

import static dev.doorbell.hw.amdvi.DteLayout.*;

import dev.doorbell.hw.amdvi.AmdViRegisters;
import dev.doorbell.hw.amdvi.CommandLayout;
import dev.doorbell.hw.amdvi.IoPageLayout;
import dev.doorbell.hw.amdvi.IrteLayout;
import dev.doorbell.irq.X86MessageLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// Scenarios for an AMD IOMMU. A change of a table is mostly followed by invalidations that cover it, and sometimes by none.
final class AmdViGenerator {
  /// Bits 6:2 of a device's entry.
  static final long RESERVED = 0x7c;

  private static final int ENTRY_BITS = 7;
  private static final int LAST = 511;
  private static final int[] INDEXES = {0, 1, 2, LAST};
  private static final int BUFFER_LENGTH = 8;
  private static final int COVERED = 80;
  private static final int WIDE = 40;
  private static final int LARGE_SHIFT = 21;

  private final PcDraft draft;
  private final Dice dice;
  private final Map<Integer, long[]> devices = new HashMap<>();

  /// Whether interrupt table entries have 16 bytes.
  private final boolean wide;

  /// Whether destinations have 32 bits.
  private final boolean x2apic;

  /// @param wideDestinations whether destinations may have 32 bits
  AmdViGenerator(long seed, boolean wideDestinations) {
    draft = new PcDraft(seed, AmdViIommu.UNIT);
    dice = draft.dice;
    wide = dice.percent(WIDE);
    x2apic = wideDestinations && wide && dice.percent(50);
  }

  List<Step> generate(int steps) {
    setUp();
    for (int i = 0; i < steps; i++) {
      int kind = dice.below(100);
      if (kind < 12) {
        device(dice.of(Pc.REQUESTERS), true);
      } else if (kind < 30) {
        page(true);
      } else if (kind < 44) {
        interruptEntry(true);
      } else if (kind < 70) {
        write();
      } else if (kind < 99) {
        message();
      } else {
        illegal();
      }
    }
    return draft.steps();
  }

  private void setUp() {
    draft.clear();
    for (int requester : Pc.REQUESTERS) {
      device(requester, false);
    }
    for (int i = 0; i < AmdViIommu.LEVELS.length * 6; i++) {
      page(false);
    }
    for (int i = 0; i < 8; i++) {
      interruptEntry(false);
    }
    draft.write(AmdViRegisters.CONTROL_REG, 0);
    draft.write(
        AmdViRegisters.DEV_TAB_BASE_REG, AmdViRegisters.DEV_TAB_BASE.place(AmdViIommu.DEVICES));
    // A new base empties the model's buffer; QEMU's keeps its pointers.
    draft.write(AmdViRegisters.CMD_HEAD_REG, 0);
    draft.write(AmdViRegisters.CMD_TAIL_REG, 0);
    draft.write(
        AmdViRegisters.CMD_BUF_BASE_REG,
        AmdViRegisters.CMD_BASE.place(AmdViIommu.BUFFER)
            | AmdViRegisters.CMD_LEN.place(BUFFER_LENGTH));
    draft.write(
        AmdViRegisters.CONTROL_REG,
        AmdViRegisters.CMD_BUF_EN.mask()
            | AmdViRegisters.IOMMU_EN.mask()
            | AmdViRegisters.GA_EN.place(wide ? 1 : 0)
            | AmdViRegisters.XT_EN.place(x2apic ? 1 : 0));
    for (int requester : Pc.REQUESTERS) {
      forgetDevice(requester);
      forgetInterrupts(requester);
    }
    forgetPages();
  }

  private static long opcode(int code) {
    return CommandLayout.OPCODE.place(code);
  }

  private void forgetDevice(int requester) {
    draft.command(
        opcode(CommandLayout.INVALIDATE_DEVTAB_ENTRY) | CommandLayout.DEVICE.place(requester), 0);
  }

  private void forgetInterrupts(int requester) {
    draft.command(
        opcode(CommandLayout.INVALIDATE_INTERRUPT_TABLE)
            | CommandLayout.INTERRUPT_DEVICE.place(requester),
        0);
    await();
  }

  /// The tables are shared, so that a change matters to every domain.
  private void forgetPages() {
    for (long domain = 1; domain <= AmdViIommu.LEVELS.length; domain++) {
      draft.command(
          opcode(CommandLayout.INVALIDATE_IOMMU_PAGES) | CommandLayout.PAGES_DOMAIN.place(domain),
          CommandLayout.PAGES_S.mask()
              | CommandLayout.PAGES_PDE.mask()
              | CommandLayout.ALL_ADDRESSES);
    }
    await();
  }

  /// A command that is none, or with reserved bits.
  private void illegal() {
    long low =
        switch (dice.below(4)) {
          case 0 -> opcode(dice.of(0, 6, 9, 10, 15));
          case 1 -> opcode(CommandLayout.INVALIDATE_DEVTAB_ENTRY) | 1L << dice.of(16, 20, 32, 59);
          case 2 -> opcode(CommandLayout.COMPLETION_WAIT) | 1L << dice.of(52, 59);
          default -> opcode(CommandLayout.INVALIDATE_INTERRUPT_TABLE) | 1L << dice.of(16, 59);
        };
    draft.command(low, 0);
  }

  private void await() {
    draft.command(
        opcode(CommandLayout.COMPLETION_WAIT)
            | CommandLayout.WAIT_STORE.mask()
            | CommandLayout.WAIT_ADDRESS.place(Pc.STATUS + Long.BYTES * dice.bits(1)),
        1 + dice.bits(60));
  }

  /// One domain for each root table.
  private void device(int requester, boolean later) {
    int table = dice.below(AmdViIommu.LEVELS.length);
    long[] dte = new long[4];
    dte[0] =
        V.mask()
            | TV.mask()
            | IR.mask()
            | IW.mask()
            | MODE.place(AmdViIommu.LEVELS[table])
            | ROOT.place(Pc.TABLES + (long) table * Pc.PAGE);
    dte[1] = DOMAIN_ID.place(1L + table);
    dte[2] =
        IV.mask()
            | INT_TAB_LEN.place(ENTRY_BITS)
            | INT_TAB_ROOT.place(entries(requester))
            | INT_CTL.place(INT_REMAP);
    switch (dice.below(16)) {
      case 0 -> dte[0] &= ~V.mask();
      case 1 -> dte[0] = MODE.with(dte[0], MODE_NONE);
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
    draft.store(AmdViIommu.DEVICES + (long) requester * BYTES, dte[0], dte[1], dte[2], dte[3]);
    devices.put(requester, dte);
    if (later && dice.percent(COVERED)) {
      forgetDevice(requester);
      forgetInterrupts(requester);
      forgetPages();
    }
  }

  private static long entries(int requester) {
    return AmdViIommu.ENTRIES + (long) (requester >>> 3) * Pc.PAGE;
  }

  private int tableBelow(int level) {
    List<Integer> fitting = new ArrayList<>();
    for (int i = 0; i < AmdViIommu.LEVELS.length; i++) {
      if (AmdViIommu.LEVELS[i] < level) {
        fitting.add(i);
      }
    }
    return dice.of(fitting);
  }

  private void page(boolean later) {
    int number = dice.below(AmdViIommu.LEVELS.length);
    int index = dice.of(INDEXES);
    draft.store(
        Pc.TABLES + (long) number * Pc.PAGE + (long) index * IoPageLayout.BYTES,
        entry(AmdViIommu.LEVELS[number], index));
    if (later && dice.percent(COVERED)) {
      forgetPages();
    }
  }

  private long entry(int level, int index) {
    if (dice.percent(10)) {
      return 0;
    }
    long entry = IoPageLayout.PR.mask();
    entry |= dice.percent(95) ? IoPageLayout.IW.mask() : 0;
    entry |= dice.percent(95) ? IoPageLayout.IR.mask() : 0;
    entry |= dice.percent(50) ? IoPageLayout.FC.mask() : 0;
    long target = Pc.TARGETS + (long) dice.below(Pc.TARGET_BYTES / Pc.PAGE) * Pc.PAGE;
    if (level > 1 && dice.percent(75)) {
      int below = tableBelow(level);
      return entry
          | IoPageLayout.NEXT_LEVEL.place(AmdViIommu.LEVELS[below])
          | IoPageLayout.ADDRESS.place(Pc.TABLES + (long) below * Pc.PAGE);
    }
    if (level < 3 && index == LAST && dice.percent(60)) {
      // It must stand in all entries that it covers, and the last is the only one that is asked
      // for. 2^bits bytes: ones from bit 12 on, and a zero one below the page's size.
      int bits = level == 1 ? dice.from(13, 20) : LARGE_SHIFT + 1;
      long base = target & -(1L << bits) | (1L << bits - 1) - Pc.PAGE;
      return entry
          | IoPageLayout.NEXT_LEVEL.place(IoPageLayout.SIZED_PAGE)
          | IoPageLayout.ADDRESS.place(base);
    }
    return entry | IoPageLayout.ADDRESS.place(level == 1 ? target : target & -(1L << LARGE_SHIFT));
  }

  private void interruptEntry(boolean later) {
    int requester = dice.of(Pc.REQUESTERS);
    if (wide) {
      wideEntry(entries(requester) + (long) dice.below(8) * IrteLayout.WIDE_BYTES);
    } else {
      long slot = entries(requester) + (long) dice.below(4) * Long.BYTES;
      draft.store(slot, interruptEntry() | interruptEntry() << Integer.SIZE);
    }
    if (later && dice.percent(COVERED)) {
      forgetInterrupts(requester);
    }
  }

  private void wideEntry(long at) {
    long low =
        IrteLayout.WIDE_REMAP_EN.mask()
            | IrteLayout.WIDE_INT_TYPE.place(dice.percent(80) ? 0 : 1)
            | (dice.percent(20) ? IrteLayout.WIDE_DM.mask() : 0)
            | IrteLayout.DESTINATION_LOW.place(
                x2apic ? dice.bits(dice.of(2, 8, 24)) : dice.below(4));
    long high =
        IrteLayout.WIDE_VECTOR.place(dice.from(16, 255))
            | IrteLayout.DESTINATION_HIGH.place(x2apic && dice.percent(30) ? dice.bits(8) : 0);
    switch (dice.below(12)) {
      case 0 -> low &= ~IrteLayout.WIDE_REMAP_EN.mask();
      case 1 -> low = IrteLayout.WIDE_INT_TYPE.with(low, dice.from(2, 7));
      case 2 -> low |= 1L << dice.from(32, 63);
      case 3 -> high |= 1L << dice.from(8, 55);
      case 4 -> low |= IrteLayout.WIDE_SUP_IOPF.mask();
      default -> {}
    }
    draft.store(at, low, high);
  }

  private long interruptEntry() {
    long word =
        IrteLayout.REMAP_EN.mask()
            | IrteLayout.INT_TYPE.place(dice.percent(80) ? 0 : 1)
            | (dice.percent(20) ? IrteLayout.DM.mask() : 0)
            | IrteLayout.DESTINATION.place(dice.below(4))
            | IrteLayout.VECTOR.place(dice.from(16, 255));
    return switch (dice.below(12)) {
      case 0 -> word & ~IrteLayout.REMAP_EN.mask();
      case 1 -> IrteLayout.INT_TYPE.with(word, dice.from(2, 7));
      case 2 -> word | 1L << 7;
      case 3 -> word | IrteLayout.SUP_IOPF.mask();
      default -> word;
    };
  }

  private void write() {
    int requester = dice.of(Pc.REQUESTERS);
    long low = Objects.requireNonNull(devices.get(requester))[0];
    if (!V.isSet(low) || MODE.getInt(low) == MODE_NONE) {
      draft.write(requester, Pc.TARGETS + 4L * dice.below(Pc.TARGET_BYTES / 4));
      return;
    }
    long out = draft.address(dice.percent(90) ? Math.min(3, MODE.getInt(low)) : 3, INDEXES);
    draft.write(requester, dice.percent(3) ? out | 1L << dice.of(39, 40, 47, 62) : out);
  }

  private void message() {
    int requester = dice.of(Pc.REQUESTERS);
    long control = Objects.requireNonNull(devices.get(requester))[2];
    boolean unmapped = !IV.isSet(control) || INT_CTL.getInt(control) == INT_FORWARD;
    int data = unmapped ? 16 + dice.below(240) : dice.percent(90) ? dice.below(8) : other();
    draft.message(requester, X86MessageLayout.DESTINATION.place(dice.below(4)), data);
  }

  /// Beyond the table, or of a delivery mode that no bit of the entry lets pass.
  private int other() {
    return dice.of(0x40 + dice.below(0x80), 0x100 + dice.below(0x100), 0x200, 0x400, 0x500, 0x700);
  }
}
