package dev.doorbell.contract;

import dev.doorbell.address.AddressRange;
import dev.doorbell.explain.Source;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.iommu.ReservedRegion.Kind;
import java.util.List;

/// What firmware might reserve for a function beside what it does: regions of all kinds, two that overlap among them.
final class ExtraRegions {
  private ExtraRegions() {}

  /// @param arena where canaries lie in memory
  static List<ReservedRegion> of(int function, long arena) {
    long direct = arena + Facts.DIRECT;
    return switch (function) {
      case 0 -> List.of(region(Kind.SW_MSI, Facts.BASE + 0x1_0000, 0x1_0000));
      case 1 ->
          List.of(
              region(Kind.DIRECT, direct, 0x1000),
              region(Kind.RESERVED, Facts.BASE + 0x6_4000, 0x2000));
      case 2 ->
          List.of(
              region(Kind.DIRECT, direct + 0x800, 0x1_0000),
              region(Kind.DIRECT_RELAXABLE, Facts.BASE + 0x1_0000, 0x1000),
              region(Kind.MSI, Facts.BASE + 0x7_f000, 0x1000));
      default -> List.of();
    };
  }

  private static ReservedRegion region(Kind kind, long start, long bytes) {
    return new ReservedRegion(
        AddressRange.ofSize(start, bytes), kind, Source.rule("reserved for the test"));
  }

  /// {@return a region as a user's domain must treat it: relaxable ones are given up, and a suggested window is none}
  static Facts.Region factsOf(ReservedRegion r) {
    boolean direct = r.kind() == Kind.DIRECT;
    boolean taken = direct || r.kind() == Kind.RESERVED || r.kind() == Kind.MSI;
    return new Facts.Region(r.range().start(), r.range().last(), taken, direct);
  }
}
