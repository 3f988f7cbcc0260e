package dev.doorbell.pci;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bits.Register;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The addresses that a bridge takes for what lies below it. Immutable.
///
/// **Source**: PCI-to-PCI Bridge 1.2, 3.2.5.8 to 3.2.5.10, 4.2 (inverse decoding); PCI Express Base 6.0, 7.5.1.3.
///
/// @param decoding whether Memory Space Enable is on; without it every window is closed
/// @param windows the windows whose base is not above their limit
public record BridgeWindows(boolean decoding, List<AddressRange> windows) {
  public BridgeWindows {
    windows = List.copyOf(windows);
  }

  /// {@return the windows of a bridge as its registers stand; not there for a function that is none}
  public static Seen<BridgeWindows> of(PciFunction f) {
    return switch (f.headerLayout()) {
      case Seen.There<Integer>(Integer h) when h == 1 -> {
        ConfigAccess header = ConfigAccess.header(f.config());
        yield header.sees(BridgeHeaderLayout.PREFETCHABLE_LIMIT_UPPER)
            ? new Seen.There<>(read(header))
            : new Seen.NotVisible<>(
                "its windows lie outside the %d bytes that are there".formatted(f.config().size()));
      }
      case Seen.NotVisible<Integer>(String why) -> new Seen.NotVisible<>(why);
      default -> new Seen.NotThere<>();
    };
  }

  /// {@return the window that takes an address at the moment}
  public Optional<AddressRange> holding(long address) {
    return decoding
        ? windows.stream().filter(w -> w.contains(address)).findFirst()
        : Optional.empty();
  }

  private static BridgeWindows read(ConfigAccess header) {
    List<AddressRange> open = new ArrayList<>();
    add(
        open,
        memory(header, BridgeHeaderLayout.MEMORY_BASE),
        memory(header, BridgeHeaderLayout.MEMORY_LIMIT));
    // A bridge without a prefetchable window reads as zero in both registers.
    if (header.read(BridgeHeaderLayout.PREFETCHABLE_BASE) != 0
        || header.read(BridgeHeaderLayout.PREFETCHABLE_LIMIT) != 0) {
      add(
          open,
          prefetchable(
              header,
              BridgeHeaderLayout.PREFETCHABLE_BASE,
              BridgeHeaderLayout.PREFETCHABLE_BASE_UPPER),
          prefetchable(
              header,
              BridgeHeaderLayout.PREFETCHABLE_LIMIT,
              BridgeHeaderLayout.PREFETCHABLE_LIMIT_UPPER));
    }
    return new BridgeWindows(
        header.isSet(ConfigHeaderLayout.COMMAND, ConfigHeaderLayout.MEMORY_SPACE_ENABLE), open);
  }

  private static void add(List<AddressRange> to, long base, long limit) {
    if (Long.compareUnsigned(base, limit) <= 0) {
      to.add(new AddressRange(base, limit | BridgeHeaderLayout.MEMORY_UNIT - 1));
    }
  }

  private static long memory(ConfigAccess header, Register register) {
    return header.get(register, BridgeHeaderLayout.MEMORY_ADDRESS) * BridgeHeaderLayout.MEMORY_UNIT;
  }

  private static long prefetchable(ConfigAccess header, Register register, Register upper) {
    boolean wide =
        header.get(BridgeHeaderLayout.PREFETCHABLE_BASE, BridgeHeaderLayout.PREFETCHABLE_TYPE) == 1;
    long low =
        header.get(register, BridgeHeaderLayout.PREFETCHABLE_ADDRESS)
            * BridgeHeaderLayout.MEMORY_UNIT;
    return wide ? header.read(upper) << Integer.SIZE | low : low;
  }
}
