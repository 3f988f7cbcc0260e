package dev.doorbell.iommu;

import dev.doorbell.address.AddressRange;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/// What is left of ranges when others are taken out. For the few ranges of reserved regions, not for mappings.
final class Ranges {
  private Ranges() {}

  /// {@return the parts of a range that no other one covers, ascending}
  static List<AddressRange> subtract(AddressRange from, Collection<AddressRange> others) {
    return subtract(List.of(from), others);
  }

  /// {@return the parts of ranges that no other one covers, ascending}
  static List<AddressRange> subtract(
      Collection<AddressRange> from, Collection<AddressRange> others) {
    List<AddressRange> left = new ArrayList<>(from);
    for (AddressRange o : others) {
      List<AddressRange> next = new ArrayList<>();
      for (AddressRange r : left) {
        cut(r, o, next);
      }
      left = next;
    }
    left.sort(null);
    return left;
  }

  private static void cut(AddressRange r, AddressRange o, List<AddressRange> into) {
    if (!r.overlaps(o)) {
      into.add(r);
      return;
    }
    if (Long.compareUnsigned(r.start(), o.start()) < 0) {
      into.add(new AddressRange(r.start(), o.start() - 1));
    }
    if (Long.compareUnsigned(r.last(), o.last()) > 0) {
      into.add(new AddressRange(o.last() + 1, r.last()));
    }
  }
}
