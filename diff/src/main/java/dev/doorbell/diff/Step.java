package dev.doorbell.diff;

import dev.doorbell.bus.Translator;
import java.util.List;

/// One thing that software or a device does. A step means the same on every machine, and can be written down as one line of text
/// ({@link Script}).
public sealed interface Step {
  /// Writes 64-bit words to memory, as a driver writes a table entry.
  ///
  /// @param address of the first word, a multiple of 8
  record Store(long address, List<Long> words) implements Step {
    public Store {
      words = List.copyOf(words);
    }
  }

  /// Sets a run of memory to zero.
  ///
  /// @param address a multiple of 8
  /// @param bytes a multiple of 8
  record Clear(long address, long bytes) implements Step {}

  /// Writes a device's register.
  ///
  /// @param bytes 1, 2, 4 or 8
  record Write(long address, int bytes, long value) implements Step {}

  /// Reads a device's register; what it answers is compared.
  ///
  /// @param bytes 1, 2, 4 or 8
  record Read(long address, int bytes) implements Step {}

  /// Puts a command into the hardware's command queue and tells it.
  ///
  /// @param words two of an SMMU, four of an ITS
  record Command(List<Long> words) implements Step {
    public Command {
      words = List.copyOf(words);
    }
  }

  /// A device writes a message.
  ///
  /// @param requester the device's requester id, which is its StreamID and DeviceID
  /// @param address what the device emits, a multiple of 4
  /// @param data below 2^16
  record Message(int requester, long address, int data) implements Access {
    @Override
    public int direction() {
      return Translator.WRITE;
    }
  }

  /// A device reads four bytes; what it gets is compared.
  ///
  /// @param requester as of {@link Message}
  /// @param address what the device emits, a multiple of 4
  record Fetch(int requester, long address) implements Access {
    @Override
    public int direction() {
      return Translator.READ;
    }
  }

  /// What a device does to memory.
  sealed interface Access extends Step {
    int requester();

    long address();

    /// {@return {@link Translator#READ} or {@link Translator#WRITE}}
    int direction();
  }

  /// Software takes everything out of the SMMU's event queue.
  record Drain() implements Step {}

  /// Software acknowledges every active error of the SMMU.
  record Acknowledge() implements Step {}
}
