package dev.doorbell.diff;

import dev.doorbell.bus.PhysicalMemory;
import java.util.List;

/// A machine that steps are performed on. A write may be under way until the next read or message returns.
interface Rig extends AutoCloseable {
  /// {@return what it is, for people}
  String name();

  /// Brings every device to its reset state. Memory keeps its content.
  void reset();

  /// {@return memory, the same bytes that the devices see}
  PhysicalMemory memory();

  /// Writes a device's register.
  void write(long address, long value, int bytes);

  /// {@return the registers' contents}
  long[] read(List<Place> places);

  /// Lets a device write a message and returns when it has arrived or failed.
  void message(int requester, long address, int data);

  @Override
  void close();
}
