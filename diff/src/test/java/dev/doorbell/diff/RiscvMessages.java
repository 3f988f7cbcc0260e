package dev.doorbell.diff;

import static dev.doorbell.hw.riscviommu.MsiPteLayout.*;

import dev.doorbell.hw.riscviommu.DirectoryLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// One message by chance that a device sends to a guest's interrupt file, on a {@link RiscvPair}: what becomes of it in memory, and what is recorded.
final class RiscvMessages {
  private static final long PAGE = RiscvPair.RAM + 0x9_3000;
  private static final int IDENTITIES = 2048;
  private static final int LOWEST_NOTICES = 0x7ff;
  private static final int WORDS = 64;

  private final RiscvPair pair;
  private final RiscvTables tables;
  private final Dice dice;
  private final Map<String, Integer> seen;

  RiscvMessages(RiscvPair pair, RiscvTables tables, Dice dice, Map<String, Integer> seen) {
    this.pair = pair;
    this.tables = tables;
    this.dice = dice;
    this.seen = seen;
  }

  private void count(String what) {
    seen.merge(what, 1, Integer::sum);
  }

  /// A message, its entry, and what QEMU is known to do otherwise with it; empty for nothing.
  private record Message(long first, long second, int offset, int data, String known) {}

  private Message message() {
    int data = dice.below(dice.of(Long.SIZE, IDENTITIES, IDENTITIES, 1 << Short.SIZE));
    int notice = dice.below(LOWEST_NOTICES + 1);
    long second =
        NID.place(notice & NID.max())
            | N10.place(notice >>> 10)
            | NPPN.place(DirectoryLayout.ppn(RiscvTables.NOTICE));
    long file =
        MRIF_V.mask() | MRIF_M.place(MRIF) | MRIF_ADDR.place(RiscvTables.FILE >>> MRIF_SHIFT);
    long basic = RiscvScenario.basic(PAGE);
    return switch (dice.below(12)) {
      case 0, 1, 2 -> new Message(basic, dice.bits(64), 0, data, "");
      case 3 -> new Message(basic, 0, 4 * dice.from(1, 3), data, "riscv-msi-offset");
      case 4 -> new Message(0, 0, 0, data, "");
      case 5 -> new Message(basic & ~M.mask() | M.place(dice.of(0, 2)), 0, 0, data, "");
      case 6 -> new Message(basic | 1L << dice.of(3, 9, 54, 62), 0, 0, data, "riscv-msi-reserved");
      case 7 ->
          new Message(file | 1L << dice.of(3, 6, 54, 62), second, 0, data, "riscv-msi-reserved");
      case 8 ->
          new Message(file, second | 1L << dice.of(54, 59, 61), 0, data, "riscv-msi-reserved");
      case 9 -> new Message(file | C.mask(), second, 0, data, "riscv-msi-custom");
      case 10 -> new Message(file, second, 4 * dice.from(1, 3), data, "riscv-mrif-offset");
      default ->
          new Message(
              file,
              second,
              0,
              data,
              data >= IDENTITIES
                  ? "riscv-mrif-wide"
                  : data >= Long.SIZE ? "riscv-mrif-layout" : "riscv-notice");
    };
  }

  /// {@return the first difference; empty for none}
  String run() {
    RiscvAccess a = new RiscvAccess(tables, dice, true);
    Message m = message();
    int number = (int) Long.compress(DirectoryLayout.ppn(a.gpa), a.messageMask);
    tables.message(number, m.first(), m.second());
    boolean enabled = dice.percent(70);
    RiscvScenario.start(pair, a.levels, a.gscid);
    long iova = a.iova | m.offset();
    long[] other = after(enabled, () -> pair.otherSends(iova, m.data()));
    RiscvPair.Fault otherFault = pair.otherFault();
    long[] model = after(enabled, () -> pair.modelSends(iova, m.data()));
    RiscvPair.Fault modelFault = pair.modelFault();
    count("message " + RiscvScenario.causeOf(modelFault));
    boolean alike =
        Arrays.equals(other, model)
            && RiscvScenario.causeOf(otherFault).equals(RiscvScenario.causeOf(modelFault));
    if (alike) {
      return "";
    }
    if (!m.known().isEmpty() && !(m.known().equals("riscv-notice") && enabled)) {
      count(m.known());
      return "";
    }
    return "%s with %s, enabled %b: QEMU %s and %s, model %s and %s"
        .formatted(
            a,
            m,
            enabled,
            changed(other),
            Objects.requireNonNullElse(otherFault, "no fault"),
            changed(model),
            Objects.requireNonNullElse(modelFault, "no fault"));
  }

  private static List<String> changed(long[] words) {
    return java.util.stream.IntStream.range(0, words.length)
        .filter(i -> words[i] != 0)
        .mapToObj(i -> "[%d]=0x%x".formatted(i, words[i]))
        .toList();
  }

  /// {@return the page, the notice's page and the pending bits, after a message}
  private long[] after(boolean enabled, Runnable send) {
    for (int i = 0; i < WORDS; i++) {
      pair.memory().write64(RiscvTables.FILE + 8L * i, enabled && i % 2 == 1 ? -1 : 0);
    }
    pair.memory().fill(PAGE, 16, (byte) 0);
    pair.memory().fill(RiscvTables.NOTICE, 16, (byte) 0);
    send.run();
    long[] out = new long[4 + WORDS / 2];
    for (int i = 0; i < 2; i++) {
      out[i] = pair.memory().read64(PAGE + 8L * i);
      out[2 + i] = pair.memory().read64(RiscvTables.NOTICE + 8L * i);
    }
    for (int i = 0; i < WORDS / 2; i++) {
      out[4 + i] = pair.memory().read64(RiscvTables.FILE + 16L * i);
    }
    return out;
  }
}
