package dev.doorbell.diff;

import dev.doorbell.hw.smmuv3.EventLayout;
import dev.doorbell.hw.smmuv3.SmmuRegisters;
import java.util.ArrayList;
import java.util.List;

/// One machine's SMMU as the software of a scenario sees it.
final class SmmuSide {
  private static final List<Place> WATCHED =
      List.of(
          place(SmmuRegisters.CR0ACK),
          place(SmmuRegisters.GERROR),
          place(SmmuRegisters.GERRORN),
          place(SmmuRegisters.CMDQ_CONS),
          place(SmmuRegisters.EVENTQ_PROD),
          place(SmmuRegisters.EVENTQ_CONS),
          place(SmmuRegisters.IRQ_CTRLACK));

  final Rig rig;
  private long seen;
  private long[] now = new long[WATCHED.size()];

  SmmuSide(Rig rig) {
    this.rig = rig;
  }

  private static Place place(dev.doorbell.bits.Register register) {
    return new Place(register.name(), Board.SMMU + register.offset(), register.bytes());
  }

  void write(dev.doorbell.bits.Register register, long value) {
    rig.write(Board.SMMU + register.offset(), value, register.bytes());
  }

  void look() {
    now = rig.read(WATCHED);
  }

  long cr0ack() {
    return now[0];
  }

  long gerror() {
    return now[1];
  }

  long gerrorAcknowledged() {
    return now[2];
  }

  long activeErrors() {
    return now[1] ^ now[2];
  }

  long consumer() {
    return SmmuRegisters.CMDQ_CONS_RD.get(now[3]);
  }

  long commandError() {
    return SmmuRegisters.GERROR_CMDQ_ERR.isSet(activeErrors())
        ? SmmuRegisters.CMDQ_CONS_ERR.get(now[3])
        : 0;
  }

  long eventProducer() {
    return now[4];
  }

  long irqCtrlAck() {
    return now[6];
  }

  /// {@return whether the event queue takes no more}
  boolean isFull(int log2) {
    long wrap = 1L << log2;
    long indexes = 2 * wrap - 1;
    return ((now[4] ^ now[5]) & indexes) == wrap;
  }

  /// Takes the present end of the event queue as seen.
  void skipEvents() {
    seen = SmmuRegisters.OUTQ_PROD_WR.get(now[4]);
  }

  /// {@return the records since the last call}
  List<SmmuRecord> newRecords(int log2) {
    long indexes = (2L << log2) - 1;
    long end = SmmuRegisters.OUTQ_PROD_WR.get(now[4]) & indexes;
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
