package dev.doorbell.bits;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The registers of one window, sorted by offset and proved not to overlap. Immutable.
///
/// Offsets without a register are *gaps*: what an access there does is the device's business.
public final class RegisterMap {
  private final String name;
  private final long bytes;
  private final Register[] registers;

  private RegisterMap(String name, long bytes, Register[] registers) {
    this.name = name;
    this.bytes = bytes;
    this.registers = registers;
  }

  /// Where a window's offset leads.
  ///
  /// @param register which register
  /// @param index element of an array, else 0
  /// @param byteOffset offset within the register, 0 when the access starts at it
  public record Hit(Register register, int index, int byteOffset) {
    /// {@return the part of a register's content that an access of some bytes sees, zero-extended}
    public long part(long whole, int bytes) {
      return whole >>> (byteOffset * Byte.SIZE) & ones(bytes);
    }

    /// {@return a register's content after a write of some bytes}
    public long with(long whole, int bytes, long value) {
      int shift = byteOffset * Byte.SIZE;
      long part = ones(bytes) << shift;
      return whole & ~part | value << shift & part;
    }

    private static long ones(int bytes) {
      return -1L >>> (Long.SIZE - bytes * Byte.SIZE);
    }
  }

  /// {@return a builder for a window of some bytes}
  public static Builder named(String name, long bytes) {
    return new Builder(name, bytes);
  }

  public String name() {
    return name;
  }

  /// {@return the window's size in bytes}
  public long bytes() {
    return bytes;
  }

  public List<Register> registers() {
    return List.of(registers);
  }

  /// {@return the register that covers an offset, if one does}
  public Optional<Hit> find(long offset) {
    for (int low = 0, high = registers.length - 1; low <= high; ) {
      int mid = (low + high) >>> 1;
      Register r = registers[mid];
      if (offset < r.offset()) {
        high = mid - 1;
      } else if (offset >= r.offset() + r.span()) {
        low = mid + 1;
      } else {
        long within = offset - r.offset();
        int index = r.count() == 1 ? 0 : (int) (within / r.stride());
        int inRegister = (int) (within - (long) index * r.stride());
        return inRegister < r.bytes()
            ? Optional.of(new Hit(r, index, inRegister))
            : Optional.empty();
      }
    }
    return Optional.empty();
  }

  /// Collects declarations.
  public static final class Builder {
    private final String name;
    private final long bytes;
    private final List<Register> registers = new ArrayList<>();

    private Builder(String name, long bytes) {
      this.name = name;
      this.bytes = bytes;
    }

    /// {@return a new register that is zero after reset}
    public Register register(String register, long offset, Access access, Layout layout) {
      return register(register, offset, access, layout, 0);
    }

    /// {@return a new register}
    public Register register(
        String register, long offset, Access access, Layout layout, long reset) {
      return add(new Register(register, offset, 1, layout.bytes(), reset, access, layout));
    }

    /// {@return a new array of registers, one after another}
    public Register array(String register, long offset, int count, Access access, Layout layout) {
      return add(new Register(register, offset, count, layout.bytes(), 0, access, layout));
    }

    /// {@return a new array of registers at a stride}
    public Register array(
        String register, long offset, int count, int stride, Access access, Layout layout) {
      return add(new Register(register, offset, count, stride, 0, access, layout));
    }

    /// Ends the declaration.
    ///
    /// {@return the map}
    ///
    /// @throws IllegalStateException when two registers overlap, one lies outside the window, or a layout is not sealed
    public RegisterMap seal() {
      registers.sort((a, b) -> Long.compare(a.offset(), b.offset()));
      long end = 0;
      for (Register r : registers) {
        if (!r.layout().isSealed()) {
          throw new IllegalStateException("layout of " + r.name() + " is not sealed");
        }
        if (r.offset() < end) {
          throw new IllegalStateException(
              "%s at 0x%x overlaps its neighbour".formatted(r.name(), r.offset()));
        }
        end = r.offset() + r.span();
        if (end > bytes) {
          throw new IllegalStateException("%s ends outside window %s".formatted(r.name(), name));
        }
      }
      return new RegisterMap(name, bytes, registers.toArray(Register[]::new));
    }

    private Register add(Register r) {
      registers.add(r);
      return r;
    }
  }
}
