package dev.doorbell.diff;

import dev.doorbell.bits.Register;
import dev.doorbell.hw.smmuv3.SmmuRegisters;
import java.util.List;
import java.util.stream.Stream;

/// What an SMMU's registers say at one time.
///
/// @param now their contents, in the order of {@link #WATCHED} or {@link #WITH_LINES}; they may still be on their way
record SmmuLook(long[] now) {
  static final List<Place> WATCHED =
      List.of(
          place(SmmuRegisters.CR0ACK),
          place(SmmuRegisters.GERROR),
          place(SmmuRegisters.GERRORN),
          place(SmmuRegisters.CMDQ_CONS),
          place(SmmuRegisters.EVENTQ_PROD),
          place(SmmuRegisters.EVENTQ_CONS),
          place(SmmuRegisters.IRQ_CTRLACK));

  /// The same, with the interrupts that are pending.
  static final List<Place> WITH_LINES =
      Stream.concat(WATCHED.stream(), Stream.of(SmmuLines.PENDING)).toList();

  private static Place place(Register register) {
    return new Place(register.name(), Board.SMMU + register.offset(), register.bytes());
  }

  /// {@return one of registers that are all zero}
  static SmmuLook zero() {
    return new SmmuLook(new long[WITH_LINES.size()]);
  }

  /// {@return interrupts that have come since the last look, where they are watched}
  long lines() {
    return now.length > WATCHED.size() ? now[WATCHED.size()] & SmmuLines.ALL : 0;
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
}
