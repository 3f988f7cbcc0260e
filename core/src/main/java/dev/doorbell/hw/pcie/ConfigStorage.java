package dev.doorbell.hw.pcie;

import dev.doorbell.bits.Register;
import dev.doorbell.pci.CapabilityLayout;

/// The bytes of a function's configuration space, and what a write does to each bit. Undeclared bits are read-only.
/// Guarded by the lock of its function.
final class ConfigStorage {
  private final byte[] content = new byte[CapabilityLayout.EXTENDED_BYTES];
  private final byte[] reset = new byte[CapabilityLayout.EXTENDED_BYTES];
  private final byte[] writable = new byte[CapabilityLayout.EXTENDED_BYTES];
  private final byte[] clearedByOne = new byte[CapabilityLayout.EXTENDED_BYTES];
  private final int size;

  /// @param size bytes that can be seen: 256 or 4096 of a function made for a model, as many as were captured of another
  ConfigStorage(int size) {
    this.size = size;
  }

  int size() {
    return size;
  }

  /// Declares one element of a register.
  ///
  /// @param implemented bits that this function has; others stay read-only
  void declare(int base, Register register, int index, long implemented) {
    int at = base + (int) register.offset(index);
    fill(writable, at, register.bytes(), register.access().rw() & implemented);
    fill(clearedByOne, at, register.bytes(), register.access().w1c() & implemented);
  }

  /// Makes exactly these bits of a register writable.
  void writable(int base, Register register, long bits) {
    fill(writable, base + (int) register.offset(), register.bytes(), bits);
  }

  /// Sets a register's content and makes that its reset value, whatever its access is.
  void put(int base, Register register, long value) {
    put(base, register, 0, value);
  }

  void put(int base, Register register, int index, long value) {
    int at = base + (int) register.offset(index);
    fill(content, at, register.bytes(), value);
    fill(reset, at, register.bytes(), value);
  }

  /// Sets what a register holds after the next reset.
  void resetTo(int base, Register register, long value) {
    fill(reset, base + (int) register.offset(), register.bytes(), value);
  }

  /// Changes a register's content as the device itself does; its reset value stays.
  void change(int base, Register register, long value) {
    fill(content, base + (int) register.offset(), register.bytes(), value);
  }

  long get(int base, Register register) {
    return get(base, register, 0);
  }

  long get(int base, Register register, int index) {
    return Integer.toUnsignedLong(read(base + (int) register.offset(index), register.bytes()));
  }

  /// Takes a captured image: its bytes are content and reset value.
  void load(int offset, byte value) {
    content[offset] = value;
    reset[offset] = value;
  }

  int read(int offset, int bytes) {
    int value = 0;
    for (int i = bytes - 1; i >= 0; i--) {
      value = value << Byte.SIZE | (offset + i < size ? content[offset + i] & 0xff : 0xff);
    }
    return value;
  }

  void write(int offset, int value, int bytes) {
    for (int i = 0; i < bytes && offset + i < size; i++) {
      int written = value >>> i * Byte.SIZE;
      int old = content[offset + i];
      int kept = old & ~writable[offset + i] & ~(written & clearedByOne[offset + i]);
      content[offset + i] = (byte) (kept | written & writable[offset + i]);
    }
  }

  /// Puts every writable and every cleared-by-one bit back to its reset value.
  void reset() {
    for (int i = 0; i < size; i++) {
      int changed = writable[i] | clearedByOne[i];
      content[i] = (byte) (content[i] & ~changed | reset[i] & changed);
    }
  }

  /// Makes written bits zero after the next reset: an image was captured from a machine that ran. The content stays.
  void forgetWritten() {
    for (int i = 0; i < size; i++) {
      reset[i] &= (byte) ~(writable[i] | clearedByOne[i]);
    }
  }

  private static void fill(byte[] into, int at, int bytes, long value) {
    for (int i = 0; i < bytes; i++) {
      into[at + i] = (byte) (value >>> i * Byte.SIZE);
    }
  }
}
