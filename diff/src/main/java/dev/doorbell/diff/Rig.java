package dev.doorbell.diff;

import dev.doorbell.bus.PhysicalMemory;
import java.util.List;

/// A machine that steps are performed on. Writes, stores, messages and questions may be under way until {@link #settle}, {@link #read} or
/// {@link #memory} returns; they happen in order.
interface Rig extends AutoCloseable {
  /// What the models read where the board of the other machine has something else than RAM: flash answers by what was written to it.
  long OUTSIDE_RAM = -1;

  /// {@return what it is, for people}
  String name();

  /// Brings every device to its reset state. Memory keeps its content.
  void reset();

  /// {@return memory, the same bytes that the devices see; nothing is under way any more}
  PhysicalMemory memory();

  /// Writes a device's register.
  void write(long address, long value, int bytes);

  /// Writes words to memory, the last one first.
  void store(long address, List<Long> words);

  /// Makes a run of memory zero.
  default void clear(long address, long bytes) {
    memory().fill(address, bytes, (byte) 0);
  }

  /// {@return where the contents of registers, or of words of memory, will be when everything is settled}
  long[] ask(List<Place> places);

  /// Waits until nothing is under way.
  void settle();

  /// {@return the registers' contents}
  default long[] read(List<Place> places) {
    long[] answers = ask(places);
    settle();
    return answers;
  }

  /// Lets a device write a message.
  void message(int requester, long address, int data);

  /// Lets a device read four bytes, and waits for them.
  ///
  /// {@return what it got, zero-extended; zero where nothing answered, or {@link #OUTSIDE_RAM}}
  ///
  /// @throws IllegalArgumentException when this machine has no devices that read
  long fetch(int requester, long address);

  /// {@return interrupts that reached local APICs since the last look, where the machine has those}
  default List<String> interrupts() {
    return List.of();
  }

  @Override
  void close();
}
