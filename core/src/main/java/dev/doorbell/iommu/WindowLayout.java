package dev.doorbell.iommu;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Pa;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// How mappings lie in the windows of an IOMMU that has few of them, all of one size, a power of two (Freescale PAMU).
///
/// The IOVAs from 0 to a power of two above the highest mapping are cut into `count` slots, a power of two. In each slot one piece of memory can
/// lie, from the slot's first byte on, as long as a power of two, and aligned to its length in physical memory. Each part is cut by itself, also where it
/// leads on to its neighbour: so what is left fits whatever else is taken away.
///
/// **Source**: Linux 5.10 `drivers/iommu/fsl_pamu_domain.c` (geometry, windows) and `fsl_pamu.h`.
///
/// @param bytes of all slots
/// @param count slots
/// @param pieces what lies in slots, by slot
public record WindowLayout(long bytes, int count, List<Piece> pieces) {
  /// Smallest slot and piece.
  public static final long LEAST = 0x1000;

  /// Something to lie in windows.
  ///
  /// @param pa its physical address; only its alignment counts here
  public record Part(AddressRange iovas, long pa, Protection protection) {}

  /// What lies in one slot.
  ///
  /// @param bytes from the slot's first byte on
  public record Piece(int slot, long bytes, Pa pa, Protection protection) {}

  public WindowLayout {
    pieces = List.copyOf(pieces);
  }

  /// {@return bytes of a slot}
  public long slotBytes() {
    return bytes / count;
  }

  /// {@return the layout with fewest slots; empty when there is none with so many}
  ///
  /// @param parts that do not overlap, whole multiples of {@link #LEAST}
  /// @param most slots, a power of two
  public static Optional<WindowLayout> of(List<Part> parts, int most) {
    List<Part> sorted =
        parts.stream()
            .sorted((a, b) -> Long.compareUnsigned(a.iovas().start(), b.iovas().start()))
            .toList();
    long last = sorted.isEmpty() ? LEAST - 1 : sorted.getLast().iovas().last();
    long bytes = last < 0 ? Long.MIN_VALUE : Math.max(LEAST, powerOfTwo(last));
    for (int count = 1; count <= most && Long.divideUnsigned(bytes, count) >= LEAST; count *= 2) {
      Optional<List<Piece>> pieces = cut(sorted, Long.divideUnsigned(bytes, count));
      if (pieces.isPresent() && bytes > 0) {
        return Optional.of(new WindowLayout(bytes, count, pieces.get()));
      }
    }
    return Optional.empty();
  }

  /// {@return the least bytes that a slot has when something ends at an address: whatever does not start at a multiple of it finds no slot}
  ///
  /// @param last of whatever lies highest
  /// @param most slots, a power of two
  public static long leastSlot(long last, int most) {
    return Math.max(LEAST, Long.divideUnsigned(powerOfTwo(last), most));
  }

  /// {@return the least power of two above an address}
  private static long powerOfTwo(long last) {
    return Long.highestOneBit(last) << 1;
  }

  private static Optional<List<Piece>> cut(List<Part> parts, long slot) {
    List<Piece> out = new ArrayList<>();
    int taken = -1;
    for (Part part : parts) {
      long at = part.iovas().start();
      long left = part.iovas().bytes();
      long pa = part.pa();
      if (at % slot != 0) {
        return Optional.empty();
      }
      while (left > 0) {
        long bytes = Math.min(left, slot);
        int index = (int) (at / slot);
        if (Long.bitCount(bytes) != 1 || pa % bytes != 0 || index <= taken) {
          return Optional.empty();
        }
        out.add(new Piece(index, bytes, new Pa(pa), part.protection()));
        taken = index;
        at += bytes;
        pa += bytes;
        left -= bytes;
      }
    }
    return Optional.of(out);
  }
}
