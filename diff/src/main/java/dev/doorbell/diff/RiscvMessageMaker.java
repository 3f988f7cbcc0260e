package dev.doorbell.diff;

import static dev.doorbell.hw.riscviommu.MsiPteLayout.*;

import dev.doorbell.hw.riscviommu.DirectoryLayout;
import java.util.ArrayList;
import java.util.List;

/// One message by chance that a device sends to a guest's interrupt file, right or with a flaw.
final class RiscvMessageMaker {
  private static final int IDENTITIES = 2048;
  private static final int LOWEST_NOTICES = 0x7ff;
  private static final int ENABLED = 70;

  private final RiscvTables tables;
  private final IommuDraft draft;
  private final Dice dice;

  RiscvMessageMaker(RiscvTables tables, IommuDraft draft) {
    this.tables = tables;
    this.draft = draft;
    dice = draft.dice;
  }

  /// A message, and its entry.
  private record Message(long first, long second, int offset, int data) {}

  private Message message() {
    // A datum of 0 cannot be told from empty memory.
    int data = 1 + dice.below(dice.of(Long.SIZE, IDENTITIES, IDENTITIES, 1 << Short.SIZE) - 1);
    int notice = dice.below(LOWEST_NOTICES + 1);
    long second =
        NID.place(notice & NID.max())
            | N10.place(notice >>> 10)
            | NPPN.place(DirectoryLayout.ppn(RiscvIommu.NOTICE));
    long file =
        MRIF_V.mask() | MRIF_M.place(MRIF) | MRIF_ADDR.place(RiscvIommu.FILE >>> MRIF_SHIFT);
    long basic = V.mask() | M.place(BASIC) | PPN.place(DirectoryLayout.ppn(RiscvIommu.PAGE));
    return switch (dice.below(12)) {
      case 0, 1, 2 -> new Message(basic, dice.bits(64), 0, data);
      case 3 -> new Message(basic, 0, 4 * dice.from(1, 3), data);
      case 4 -> new Message(0, 0, 0, data);
      case 5 -> new Message(M.with(basic, dice.of(0, 2)), 0, 0, data);
      case 6 -> new Message(basic | 1L << dice.of(3, 9, 54, 62), 0, 0, data);
      case 7 -> new Message(file | 1L << dice.of(3, 6, 54, 62), second, 0, data);
      case 8 -> new Message(file, second | 1L << dice.of(54, 59, 61), 0, data);
      case 9 -> new Message(file | C.mask(), second, 0, data);
      case 10 -> new Message(file, second, 4 * dice.from(1, 3), data);
      default -> new Message(file, second, 0, data);
    };
  }

  /// Writes the tables of a message.
  ///
  /// @param tell hears of the access before it is made
  void make(java.util.function.Consumer<RiscvAccess> tell) {
    RiscvAccess a = new RiscvAccess(tables, dice, true);
    Message m = message();
    int number = (int) Long.compress(DirectoryLayout.ppn(a.gpa), a.messageMask);
    tables.message(number, m.first(), m.second());
    boolean enabled = dice.percent(ENABLED);
    List<Long> file = new ArrayList<>();
    for (int i = 0; i < MRIF_BYTES / Long.BYTES; i++) {
      file.add(enabled && i % 2 == 1 ? -1L : 0L);
    }
    draft.store(RiscvIommu.FILE, file);
    tell.accept(a);
    draft.send(a.device, a.iova | m.offset(), m.data());
  }
}
