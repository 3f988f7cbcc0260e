package dev.doorbell.bus;

/// A window onto one device's registers, as its driver sees it: an embedded model, QEMU, or a mapped BAR behind it.
/// Accesses are naturally aligned, in program order and never cached. Values are zero-extended.
public interface RegisterBus {
  /// {@return a register's content}
  ///
  /// @throws BusErrorException when nothing answers
  long read(long offset, int bytes);

  /// Writes a register.
  ///
  /// @throws BusErrorException when nothing answers
  void write(long offset, long value, int bytes);

  default long read64(long offset) {
    return read(offset, Long.BYTES);
  }

  default void write64(long offset, long value) {
    write(offset, value, Long.BYTES);
  }

  default int read32(long offset) {
    return (int) read(offset, Integer.BYTES);
  }

  default void write32(long offset, int value) {
    write(offset, Integer.toUnsignedLong(value), Integer.BYTES);
  }
}
