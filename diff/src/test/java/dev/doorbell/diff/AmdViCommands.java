package dev.doorbell.diff;

import dev.doorbell.hw.amdvi.AmdViRegisters;
import dev.doorbell.hw.amdvi.CommandLayout;

/// The command buffer of an {@link AmdViPair}, as a scenario fills it.
final class AmdViCommands {
  private static final long BUFFER = 0x100_2000;
  private static final long STATUS = 0x100_3000;

  /// A buffer of 2^8 commands.
  private static final int LENGTH = 8;

  private static final int BYTES = 16;

  private final AmdViPair pair;
  private final Dice dice;
  private long tail;

  AmdViCommands(AmdViPair pair, Dice dice) {
    this.pair = pair;
    this.dice = dice;
  }

  /// Empties the buffer of an IOMMU that is off.
  void start() {
    pair.set(
        AmdViRegisters.CMD_BUF_BASE_REG,
        AmdViRegisters.CMD_BASE.place(BUFFER) | AmdViRegisters.CMD_LEN.place(LENGTH));
    pair.set(AmdViRegisters.CMD_HEAD_REG, 0);
    tail = 0;
    pair.tail(0, STATUS);
  }

  private static long opcode(int code) {
    return CommandLayout.OPCODE.place(code);
  }

  private void put(long low, long high) {
    pair.memory().write64(BUFFER + tail, low);
    pair.memory().write64(BUFFER + tail + Long.BYTES, high);
    tail = (tail + BYTES) % (BYTES << LENGTH);
  }

  /// Puts INVALIDATE_DEVTAB_ENTRY.
  void forgetDevice(int requester) {
    put(opcode(CommandLayout.INVALIDATE_DEVTAB_ENTRY) | CommandLayout.DEVICE.place(requester), 0);
  }

  /// Puts INVALIDATE_INTERRUPT_TABLE.
  void forgetInterrupts(int requester) {
    put(
        opcode(CommandLayout.INVALIDATE_INTERRUPT_TABLE)
            | CommandLayout.INTERRUPT_DEVICE.place(requester),
        0);
  }

  String forgetAll() {
    put(opcode(CommandLayout.INVALIDATE_IOMMU_ALL), 0);
    return execute();
  }

  /// Forgets the pages of all domains, which share the tables.
  String forgetPages(int domains) {
    if (dice.percent(20)) {
      return forgetAll();
    }
    for (long domain = 1; domain <= domains; domain++) {
      put(
          opcode(CommandLayout.INVALIDATE_IOMMU_PAGES) | CommandLayout.PAGES_DOMAIN.place(domain),
          CommandLayout.PAGES_S.mask()
              | CommandLayout.PAGES_PDE.mask()
              | CommandLayout.ALL_ADDRESSES);
    }
    return execute();
  }

  /// Lets both run what was put, and a wait behind it.
  ///
  /// {@return what went wrong; empty for nothing}
  String execute() {
    long number = 1 + dice.bits(60);
    put(
        opcode(CommandLayout.COMPLETION_WAIT)
            | CommandLayout.WAIT_STORE.mask()
            | CommandLayout.WAIT_ADDRESS.place(STATUS),
        number);
    long[] written = pair.tail(tail, STATUS);
    return written[0] == number && written[1] == number
        ? ""
        : "COMPLETION_WAIT of 0x%x: QEMU 0x%x, model 0x%x"
            .formatted(number, written[0], written[1]);
  }
}
