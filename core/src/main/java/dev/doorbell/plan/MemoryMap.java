package dev.doorbell.plan;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Sizes;
import dev.doorbell.description.Arch;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/// Lays guest RAM out in what is left of the IOVA space.
final class MemoryMap {
  /// RAM starts and ends at multiples of a 2 MiB block, so that it can be mapped in blocks.
  private static final long BLOCK = 2 * Sizes.MIB;

  private MemoryMap() {}

  /// {@return RAM that meets none of the taken ranges, or nothing when the aperture has no room for it}
  ///
  /// @param bytes how much, above 0; rounded up to 2 MiB
  static Optional<List<AddressRange>> layOut(
      Arch arch, long bytes, AddressRange aperture, List<AddressRange> taken) {
    if (Long.compareUnsigned(bytes, -BLOCK) > 0) {
      return Optional.empty();
    }
    long left = (bytes + BLOCK - 1) & -BLOCK;
    List<AddressRange> ram = new ArrayList<>();
    for (AddressRange gap : gaps(usable(arch, aperture), taken)) {
      Optional<AddressRange> aligned = alignInwards(gap);
      if (aligned.isEmpty()) {
        continue;
      }
      AddressRange g = aligned.get();
      long take = g.bytes() == 0 || Long.compareUnsigned(left, g.bytes()) < 0 ? left : g.bytes();
      ram.add(AddressRange.ofSize(g.start(), take));
      left -= take;
      if (left == 0) {
        return Optional.of(ram);
      }
    }
    return Optional.empty();
  }

  /// Where guests of each family expect RAM. Below 4 GiB a guest also needs room for its own devices.
  private static List<AddressRange> usable(Arch arch, AddressRange aperture) {
    List<AddressRange> wanted =
        switch (arch) {
          case ARM64, UNKNOWN -> List.of(new AddressRange(0x4000_0000L, -1L));
          case RISCV64 -> List.of(new AddressRange(0x8000_0000L, -1L));
          case X86 ->
              List.of(new AddressRange(0, 0xbfff_ffffL), new AddressRange(Sizes.FOUR_GIB, -1L));
          case PPC64, POWERPC -> List.of(new AddressRange(0, -1L));
        };
    return wanted.stream().map(aperture::intersection).flatMap(Optional::stream).toList();
  }

  private static List<AddressRange> gaps(List<AddressRange> spaces, List<AddressRange> taken) {
    List<AddressRange> sorted = taken.stream().sorted(Comparator.naturalOrder()).toList();
    List<AddressRange> out = new ArrayList<>();
    for (AddressRange space : spaces) {
      long from = space.start();
      boolean open = true;
      for (AddressRange t : sorted) {
        if (!t.overlaps(space) || Long.compareUnsigned(t.last(), from) < 0) {
          continue;
        }
        if (Long.compareUnsigned(t.start(), from) > 0) {
          out.add(new AddressRange(from, t.start() - 1));
        }
        if (Long.compareUnsigned(t.last(), space.last()) >= 0) {
          open = false;
          break;
        }
        from = t.last() + 1;
      }
      if (open) {
        out.add(new AddressRange(from, space.last()));
      }
    }
    return out;
  }

  private static Optional<AddressRange> alignInwards(AddressRange gap) {
    long start = (gap.start() + BLOCK - 1) & -BLOCK;
    if (Long.compareUnsigned(start, gap.start()) < 0) {
      return Optional.empty();
    }
    long end = (gap.last() + 1) & -BLOCK;
    if (gap.last() == -1L) {
      end = 0; // 2^64
    } else if (end == 0) {
      return Optional
          .empty(); // below the first multiple, as what lies under the VGA window at 640 KiB
    }
    long last = end - 1;
    return Long.compareUnsigned(last, start) <= 0
        ? Optional.empty()
        : Optional.of(new AddressRange(start, last));
  }
}
