package dev.doorbell.diff;

import dev.doorbell.bits.Register;
import dev.doorbell.hw.smmuv3.EventLayout;
import dev.doorbell.hw.smmuv3.SmmuRegisters;
import java.util.ArrayList;
import java.util.List;

/// One machine's SMMU as the software of a scenario sees it.
final class SmmuSide {
  final Rig rig;
  private final boolean lines;
  private long seen;
  private SmmuLook last = SmmuLook.zero();

  /// @param lines whether its interrupts are watched, too
  SmmuSide(Rig rig, boolean lines) {
    this.rig = rig;
    this.lines = lines;
  }

  void write(Register register, long value) {
    rig.write(Board.SMMU + register.offset(), value, register.bytes());
  }

  /// {@return what the registers say behind all that is under way}
  SmmuLook ask() {
    return ask(rig.ask(SmmuLook.WRITTEN));
  }

  /// {@return the same where no register was written since the last look, but for the command queue's producer}
  SmmuLook askChanging() {
    return ask(last.written());
  }

  private SmmuLook ask(long[] written) {
    last = new SmmuLook(rig.ask(lines ? SmmuLook.WITH_LINES : SmmuLook.CHANGING), written);
    if (lines) {
      rig.write(SmmuLines.CLEAR, SmmuLines.ALL, Integer.BYTES);
    }
    return last;
  }

  /// {@return what they say now}
  SmmuLook look() {
    ask();
    rig.settle();
    return last;
  }

  /// {@return what was asked last}
  SmmuLook last() {
    return last;
  }

  /// Takes the end of the event queue as seen.
  void skipEvents(SmmuLook look) {
    seen = SmmuRegisters.OUTQ_PROD_WR.get(look.eventProducer());
  }

  /// {@return the records since the last call}
  List<SmmuRecord> newRecords(SmmuLook look, int log2) {
    long indexes = (2L << log2) - 1;
    long end = SmmuRegisters.OUTQ_PROD_WR.get(look.eventProducer()) & indexes;
    List<SmmuRecord> out = new ArrayList<>();
    for (long i = seen & indexes; i != end; i = i + 1 & indexes) {
      long at = Board.EVENTS + (i & (1L << log2) - 1) * EventLayout.BYTES;
      out.add(new SmmuRecord(word(at, 0), word(at, 1), word(at, 2), word(at, 3)));
    }
    seen = end;
    return out;
  }

  private long word(long record, int number) {
    return rig.memory().read64(record + (long) number * Long.BYTES);
  }
}
