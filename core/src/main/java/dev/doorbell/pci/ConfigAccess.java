package dev.doorbell.pci;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Register;

/// A structure within a function's configuration space: its registers by their declarations.
///
/// @param config the whole space
/// @param base offset of the structure
public record ConfigAccess(ConfigSpace config, int base) {
  public ConfigAccess {
    if (base < 0 || base >= CapabilityLayout.EXTENDED_BYTES) {
      throw new IllegalArgumentException(
          "no structure lies at 0x%x of configuration space".formatted(base));
    }
  }

  /// {@return the registers of the header}
  public static ConfigAccess header(ConfigSpace config) {
    return new ConfigAccess(config, 0);
  }

  /// {@return whether a whole register can be seen}
  public boolean sees(Register register) {
    return base + register.offset() + register.span() <= config.size();
  }

  /// {@return a register's content}
  public long read(Register register) {
    return read(register, 0);
  }

  /// {@return the content of an element of an array of registers}
  public long read(Register register, int index) {
    return Integer.toUnsignedLong(
        config.read(base + (int) register.offset(index), register.bytes()));
  }

  /// {@return a field of a register}
  public long get(Register register, Field field) {
    return field.get(read(register));
  }

  public boolean isSet(Register register, Field field) {
    return field.isSet(read(register));
  }

  /// Writes a whole register.
  public void write(Register register, long value) {
    write(register, 0, value);
  }

  /// Writes an element of an array of registers.
  public void write(Register register, int index, long value) {
    config.write(base + (int) register.offset(index), (int) value, register.bytes());
  }

  /// Changes one field of a register. The register's W1C bits are written as zero.
  public void set(Register register, Field field, long value) {
    write(register, field.with(read(register) & ~register.access().w1c(), value));
  }
}
