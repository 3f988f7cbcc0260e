package dev.doorbell.pci;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bits.Register;
import dev.doorbell.explain.Oddity;
import dev.doorbell.explain.Source;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/// One base address register, or two that make a 64-bit one.
///
/// @param index register 0 to 5
/// @param address the PCI address that it holds
/// @param bytes its size, when the space is live and could be sized
public record BarDecode(
    int index, Kind kind, boolean prefetchable, long address, OptionalLong bytes) {
  /// What a BAR decodes.
  public enum Kind {
    IO,
    MEMORY_32,
    MEMORY_64
  }

  /// The BARs of a function and what is odd about them.
  public record Bars(List<BarDecode> bars, List<Oddity> oddities) {
    public Bars {
      bars = List.copyOf(bars);
      oddities = List.copyOf(oddities);
    }

    /// {@return the BAR that starts at a register}
    public Optional<BarDecode> at(int index) {
      return bars.stream().filter(b -> b.index() == index).findFirst();
    }
  }

  /// {@return the addresses that it decodes, when its size is known}
  public Optional<AddressRange> range() {
    return bytes.isEmpty()
        ? Optional.empty()
        : Optional.of(AddressRange.ofSize(address, bytes.getAsLong()));
  }

  /// {@return the BARs that a header holds; sizes stay empty, since a capture does not tell them}
  ///
  /// @param where file or device, for the sources of oddities
  public static Bars read(ConfigSpace config, String where) {
    return scan(config, where, false);
  }

  /// Sizes the BARs of a PF's VFs likewise. VF MSE is off meanwhile.
  ///
  /// {@return the BARs of each VF with their sizes, at the System Page Size of the moment}
  ///
  /// @param capability the PF's SR-IOV capability
  public static Bars sizeVirtual(ConfigAccess capability, String where) {
    long control = capability.read(SriovLayout.CONTROL);
    capability.write(SriovLayout.CONTROL, SriovLayout.VF_MSE.with(control, 0));
    try {
      return scan(capability, SriovLayout.VF_BAR, SriovLayout.VF_BAR.count(), where, true);
    } finally {
      capability.write(SriovLayout.CONTROL, control);
    }
  }

  /// Sizes the BARs by writing ones and restoring what was there. Memory and I/O decoding is off meanwhile.
  ///
  /// {@return the BARs with their sizes}
  public static Bars size(ConfigSpace live, String where) {
    ConfigAccess header = ConfigAccess.header(live);
    long command = header.read(ConfigHeaderLayout.COMMAND);
    long decoding =
        ConfigHeaderLayout.IO_SPACE_ENABLE.mask() | ConfigHeaderLayout.MEMORY_SPACE_ENABLE.mask();
    header.write(ConfigHeaderLayout.COMMAND, command & ~decoding);
    try {
      return scan(live, where, true);
    } finally {
      header.write(ConfigHeaderLayout.COMMAND, command);
    }
  }

  private static Bars scan(ConfigSpace config, String where, boolean sizing) {
    ConfigAccess header = ConfigAccess.header(config);
    if (!header.sees(ConfigHeaderLayout.HEADER_TYPE)) {
      return new Bars(List.of(), List.of());
    }
    int count =
        switch ((int)
            header.get(ConfigHeaderLayout.HEADER_TYPE, ConfigHeaderLayout.HEADER_LAYOUT)) {
          case 0 -> ConfigHeaderLayout.BAR.count();
          case 1 -> BridgeHeaderLayout.BAR.count();
          default -> 0;
        };
    return scan(header, ConfigHeaderLayout.BAR, count, where, sizing);
  }

  private static Bars scan(
      ConfigAccess structure, Register array, int count, String where, boolean sizing) {
    List<BarDecode> bars = new ArrayList<>();
    List<Oddity> oddities = new ArrayList<>();
    for (int i = 0;
        i < count
            && structure.base() + array.offset(i) + Integer.BYTES <= structure.config().size();
        i++) {
      long low = structure.read(array, i);
      boolean io = ConfigHeaderLayout.BAR_IO.isSet(low);
      boolean wide = !io && ConfigHeaderLayout.BAR_TYPE.get(low) == 2;
      if (wide && i + 1 >= count) {
        oddities.add(
            new Oddity(
                "BAR %d is a 64-bit one and has no register for its upper half".formatted(i),
                Source.at(where, structure.base() + array.offset(i))));
        wide = false;
      }
      one(new Place(structure, array, i), wide, sizing).ifPresent(bars::add);
      if (wide) {
        i++;
      }
    }
    return new Bars(bars, oddities);
  }

  /// A BAR's first register.
  private record Place(ConfigAccess structure, Register array, int index) {
    long read(int next) {
      return structure.read(array, index + next);
    }

    void write(int next, long value) {
      structure.write(array, index + next, value);
    }
  }

  private static Optional<BarDecode> one(Place at, boolean wide, boolean sizing) {
    long low = at.read(0);
    long high = wide ? at.read(1) : 0;
    boolean io = ConfigHeaderLayout.BAR_IO.isSet(low);
    OptionalLong bytes = OptionalLong.empty();
    if (sizing) {
      bytes = size(at, wide, low, high);
      if (bytes.isEmpty()) {
        return Optional.empty();
      }
    } else if (low == 0 && high == 0) {
      return Optional.empty();
    }
    if (io) {
      return Optional.of(
          new BarDecode(at.index, Kind.IO, false, ConfigHeaderLayout.IO_BAR_BASE.get(low), bytes));
    }
    long address = ConfigHeaderLayout.BAR_MEMORY_BASE.get(low) | high << Integer.SIZE;
    return Optional.of(
        new BarDecode(
            at.index,
            wide ? Kind.MEMORY_64 : Kind.MEMORY_32,
            ConfigHeaderLayout.BAR_PREFETCHABLE.isSet(low),
            address,
            bytes));
  }

  private static OptionalLong size(Place at, boolean wide, long low, long high) {
    long ones = ConfigHeaderLayout.DWORD.mask();
    at.write(0, ones);
    long mask = at.read(0);
    at.write(0, low);
    long base =
        ConfigHeaderLayout.BAR_IO.isSet(low)
            ? ConfigHeaderLayout.IO_BAR_BASE.get(mask)
            : ConfigHeaderLayout.BAR_MEMORY_BASE.get(mask);
    long upper = ones;
    if (wide) {
      at.write(1, ones);
      upper = at.read(1);
      at.write(1, high);
    } else if (base == 0) {
      return OptionalLong.empty();
    }
    // An I/O BAR may leave its upper 16 bits unwritable: the lowest writable bit is the size all
    // the same.
    long writable = base | upper << Integer.SIZE;
    return writable == 0 ? OptionalLong.empty() : OptionalLong.of(Long.lowestOneBit(writable));
  }
}
