package dev.doorbell.bus;

/// A machine's memory as software on its CPUs sees it, by physical address. Little-endian; accesses are naturally aligned.
///
/// Single accesses of up to 8 bytes are single-copy atomic. Addresses outside memory throw {@link BusErrorException}.
/// Safe for use from many threads.
public interface PhysicalMemory {
  /// {@return a value of 1, 2, 4 or 8 bytes, zero-extended}
  long read(long pa, int bytes);

  /// Writes the low 1, 2, 4 or 8 bytes of a value.
  void write(long pa, long value, int bytes);

  /// Copies bytes out of memory.
  void read(long pa, byte[] into);

  /// Copies bytes into memory.
  void write(long pa, byte[] from);

  /// Sets a run of bytes.
  void fill(long pa, long bytes, byte value);

  /// Makes all earlier writes visible to devices before any later one.
  void publish();

  default long read64(long pa) {
    return read(pa, Long.BYTES);
  }

  default void write64(long pa, long value) {
    write(pa, value, Long.BYTES);
  }

  /// Writes two quadwords at a multiple of 16 in one: {@link #read128} sees both or neither.
  ///
  /// {@return whether it did; false, with nothing written, where this memory has no such access}
  default boolean write128(long pa, long low, long high) {
    return false;
  }

  /// Reads two quadwords at a multiple of 16, as an IOMMU reads an entry of that size.
  ///
  /// @param into takes the low one first
  default void read128(long pa, long[] into) {
    into[0] = read64(pa);
    into[1] = read64(pa + Long.BYTES);
  }

  /// Changes a quadword in one, where it still is what was expected: what a CPU's locked access does, and a device's atomic update.
  ///
  /// {@return whether it was}
  ///
  /// @throws UnsupportedOperationException where this memory has no such access
  default boolean compareAndSet64(long pa, long expected, long next) {
    throw new UnsupportedOperationException(
        "%s has no atomic update, which 0x%x needs".formatted(getClass().getSimpleName(), pa));
  }

  /// {@return the quadwords from an address on, for whoever goes there again and again} What of them lies outside memory is found out when it is used.
  ///
  /// @param pa a multiple of 8
  default Quadwords quadwords(long pa, int count) {
    return new Quadwords() {
      @Override
      public long get(int index) {
        return read64(pa + (long) index * Long.BYTES);
      }

      @Override
      public boolean compareAndSet(int index, long expected, long next) {
        return compareAndSet64(pa + (long) index * Long.BYTES, expected, next);
      }
    };
  }

  default int read32(long pa) {
    return (int) read(pa, Integer.BYTES);
  }

  default void write32(long pa, int value) {
    write(pa, Integer.toUnsignedLong(value), Integer.BYTES);
  }
}
