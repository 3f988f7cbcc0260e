package dev.doorbell.contract;

import dev.doorbell.address.AddressRange;
import dev.doorbell.explain.Source;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.iommu.ReservedRegion.Kind;
import java.util.List;
import java.util.stream.Stream;

/// What firmware might reserve for a function beside what it does: regions of all kinds, two that overlap among them.
final class ExtraRegions {
  private ExtraRegions() {}

  /// @param base as {@link Facts} has it
  /// @param arena where canaries lie in memory
  /// @param pages whether tables have pages; memory that nobody chose the place of does not lie in windows of one size
  static List<ReservedRegion> of(int function, long base, long arena, boolean pages) {
    long direct = arena + Facts.DIRECT;
    return (switch (function) {
          case 0 -> Stream.of(region(Kind.SW_MSI, base + 0x1_0000, 0x1_0000));
          case 1 ->
              Stream.of(
                  region(Kind.DIRECT, direct, 0x1000),
                  region(Kind.RESERVED, base + 0x6_4000, 0x2000));
          case 2 ->
              Stream.of(
                  region(Kind.DIRECT, direct + 0x800, 0x1_0000),
                  region(Kind.DIRECT_RELAXABLE, base + 0x1_0000, 0x1000),
                  region(Kind.MSI, base + 0x7_f000, 0x1000));
          default -> Stream.<ReservedRegion>of();
        })
        .filter(r -> pages || r.kind() != Kind.DIRECT)
        .toList();
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
