package dev.doorbell.bits;

import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Optional;

/// What stands behind the registers of a map: a model's reaction to reads and writes of whole registers. Decoding of offsets,
/// sizes and parts of registers happens here once.
///
/// An access must be aligned to its size. A register takes accesses of its own size; one of 8 bytes also takes its halves; any takes
/// the smaller sizes that {@link #alsoBy} names. A write of a part keeps the rest of what a read answers. A register without a
/// reaction reads as its reset value and ignores writes; a gap reads as zero and ignores writes. Set up first, then safe to use
/// from many threads as far as the reactions are.
public final class RegisterPorts {
  /// Reads element `index` of a register.
  @FunctionalInterface
  public interface Get {
    long get(int index);
  }

  /// Takes the value written to element `index` of a register.
  @FunctionalInterface
  public interface Set {
    void set(int index, long value);
  }

  private static final Set IGNORE = (index, value) -> {};

  private static final class Port {
    Get get;
    Set set = IGNORE;
    int sizes;

    Port(long reset) {
      get = index -> reset;
    }
  }

  private final RegisterMap map;
  private final Map<Register, Port> ports = new IdentityHashMap<>();

  public RegisterPorts(RegisterMap map) {
    this.map = map;
    for (Register r : map.registers()) {
      Port p = new Port(r.reset());
      p.sizes = r.bytes() | (r.bytes() == Long.BYTES ? Integer.BYTES : 0);
      ports.put(r, p);
    }
  }

  /// Sets what a register answers and does.
  public RegisterPorts on(Register register, Get get, Set set) {
    Port p = port(register);
    p.get = get;
    p.set = set;
    return this;
  }

  /// Sets what a register that ignores writes answers.
  public RegisterPorts on(Register register, Get get) {
    return on(register, get, IGNORE);
  }

  /// Lets a register be accessed in parts of a size.
  public RegisterPorts alsoBy(Register register, int bytes) {
    port(register).sizes |= bytes;
    return this;
  }

  /// {@return whether an access of this size is answered at an offset}
  public boolean answers(long offset, int bytes) {
    if (offset < 0 || offset + bytes > map.bytes() || (offset & (bytes - 1)) != 0) {
      return false;
    }
    Optional<RegisterMap.Hit> hit = map.find(offset);
    return hit.isEmpty()
        || ((port(hit.get().register()).sizes & bytes) != 0
            && hit.get().byteOffset() + bytes <= hit.get().register().bytes());
  }

  /// {@return what a read answers, of an access that {@link #answers} allows}
  public long read(long offset, int bytes) {
    RegisterMap.Hit hit = map.find(offset).orElse(null);
    if (hit == null) {
      return 0;
    }
    return hit.part(port(hit.register()).get.get(hit.index()), bytes);
  }

  /// Performs a write that {@link #answers} allows.
  public void write(long offset, long value, int bytes) {
    RegisterMap.Hit hit = map.find(offset).orElse(null);
    if (hit == null) {
      return;
    }
    Port p = port(hit.register());
    // Only a part needs what was there before, and a read may have an effect.
    long before = bytes == hit.register().bytes() ? 0 : p.get.get(hit.index());
    p.set.set(hit.index(), hit.with(before, bytes, value));
  }

  private Port port(Register register) {
    Port p = ports.get(register);
    if (p == null) {
      throw new IllegalArgumentException(
          "map " + map.name() + " has no register " + register.name());
    }
    return p;
  }
}
