package dev.doorbell.diff;

import dev.doorbell.bits.Register;
import dev.doorbell.hw.smmuv3.SmmuRegisters;
import java.util.List;
import java.util.stream.Stream;

/// What an SMMU's registers say at one time. They may still be on their way.
///
/// @param now contents of those that change by themselves, in the order of {@link #CHANGING} or {@link #WITH_LINES}
/// @param written contents of those that change by a write of a register alone, in the order of {@link #WRITTEN}
record SmmuLook(long[] now, long[] written) {
  static final List<Place> CHANGING =
      List.of(
          place(SmmuRegisters.GERROR),
          place(SmmuRegisters.CMDQ_CONS),
          place(SmmuRegisters.EVENTQ_PROD));

  /// The same, with the interrupts that are pending.
  static final List<Place> WITH_LINES =
      Stream.concat(CHANGING.stream(), Stream.of(SmmuLines.PENDING)).toList();

  static final List<Place> WRITTEN =
      List.of(
          place(SmmuRegisters.GERRORN),
          place(SmmuRegisters.EVENTQ_CONS),
          place(SmmuRegisters.CR0ACK),
          place(SmmuRegisters.IRQ_CTRLACK));

  private static Place place(Register register) {
    return new Place(register.name(), Board.SMMU + register.offset(), register.bytes());
  }

  /// {@return one of registers that are all zero}
  static SmmuLook zero() {
    return new SmmuLook(new long[WITH_LINES.size()], new long[WRITTEN.size()]);
  }

  /// {@return interrupts that have come since the last look, where they are watched}
  long lines() {
    return now.length > CHANGING.size() ? now[CHANGING.size()] & SmmuLines.ALL : 0;
  }

  long gerror() {
    return now[0];
  }

  long gerrorAcknowledged() {
    return written[0];
  }

  long activeErrors() {
    return gerror() ^ gerrorAcknowledged();
  }

  long consumer() {
    return SmmuRegisters.CMDQ_CONS_RD.get(now[1]);
  }

  long commandError() {
    return SmmuRegisters.GERROR_CMDQ_ERR.isSet(activeErrors())
        ? SmmuRegisters.CMDQ_CONS_ERR.get(now[1])
        : 0;
  }

  long eventProducer() {
    return now[2];
  }

  long cr0ack() {
    return written[2];
  }

  long irqCtrlAck() {
    return written[3];
  }

  /// {@return whether the event queue takes no more}
  boolean isFull(int log2) {
    long wrap = 1L << log2;
    long indexes = 2 * wrap - 1;
    return ((eventProducer() ^ written[1]) & indexes) == wrap;
  }
}
