package dev.doorbell.bus;

/// What a read on a model's side of the bus answered.
///
/// @param outcome whether anything answered
/// @param value zero-extended; all ones of the read's size when nothing answered
public record BusRead(BusOutcome outcome, long value) {
  public static BusRead ok(long value) {
    return new BusRead(BusOutcome.OK, value);
  }

  public static BusRead error(int bytes) {
    return new BusRead(BusOutcome.ERROR, -1L >>> (Long.SIZE - bytes * Byte.SIZE));
  }
}
