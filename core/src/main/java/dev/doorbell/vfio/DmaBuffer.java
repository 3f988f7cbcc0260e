package dev.doorbell.vfio;

import dev.doorbell.address.AddressRange;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/// Memory that devices may be let reach: of the machine they are in. A program reads and writes it here; a device reaches it at the
/// IOVA that a container maps it to. Little-endian. Safe for use from many threads as far as single accesses go.
public interface DmaBuffer extends AutoCloseable {
  long bytes();

  /// {@return 1, 2, 4 or 8 bytes at an offset, zero-extended}
  ///
  /// @throws IndexOutOfBoundsException when they are not all in the buffer
  long read(long offset, int size);

  /// Writes the low 1, 2, 4 or 8 bytes of a value at an offset.
  ///
  /// @throws IndexOutOfBoundsException when they are not all in the buffer
  void write(long offset, int size, long value);

  /// Copies bytes out.
  void read(long offset, byte[] into);

  /// Copies bytes in.
  void write(long offset, byte[] from);

  /// Makes all earlier writes visible to devices before any later one.
  void publish();

  /// {@return a part of this buffer, to be mapped by itself; closing it does nothing}
  ///
  /// @param offsets within this buffer
  DmaBuffer part(AddressRange offsets);

  /// {@return this process's view, where the machine's memory is this process's}
  Optional<MemorySegment> segment();

  /// Gives the memory back.
  ///
  /// @throws InUse when a container maps it
  @Override
  void close();
}
