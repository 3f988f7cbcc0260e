package dev.doorbell.pci.setup;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.IntervalSet;
import dev.doorbell.address.Sizes;
import java.util.ArrayList;
import java.util.List;

/// The host bridge's windows, and what is free in them.
final class HostWindows {

  /// A BAR at address 0 counts as one that was never placed.
  private static final AddressRange NEVER = AddressRange.ofSize(0, Sizes.MIB);

  /// A window's part below or above 4 GiB.
  private record Part(PciWindow window, boolean high, IntervalSet free) {}

  private final List<Part> parts = new ArrayList<>();

  HostWindows(List<PciWindow> windows) {
    AddressRange low = new AddressRange(0, Sizes.FOUR_GIB - 1);
    AddressRange high = new AddressRange(Sizes.FOUR_GIB, Block.ENDLESS - 1);
    for (PciWindow w : windows) {
      w.range().intersection(high).ifPresent(r -> parts.add(part(w, true, r)));
      w.range().intersection(low).ifPresent(r -> parts.add(part(w, false, r)));
    }
  }

  private static Part part(PciWindow w, boolean high, AddressRange range) {
    IntervalSet free = IntervalSet.of(range);
    free.remove(NEVER);
    return new Part(w, high, free);
  }

  /// Takes the lowest place of the best window for a claim, and assigns it.
  ///
  /// @throws WindowTooSmall when there is none
  void place(Claim claim) {
    List<Part> candidates = candidates(claim);
    for (Part p : candidates) {
      for (AddressRange run : p.free.ranges()) {
        long start = Block.alignUp(run.start(), claim.alignment());
        if (roomFrom(start, run) >= claim.bytes()) {
          p.free.remove(AddressRange.ofSize(start, claim.bytes()));
          claim.assign(start);
          return;
        }
      }
    }
    throw WindowTooSmall.of(
        claim, candidates.stream().map(Part::window).distinct().toList(), largest(claim));
  }

  /// Checks that a claim would fit if it were alone: a BAR is the better name for what is too large than the bridge above it.
  ///
  /// @throws WindowTooSmall when it would not
  void require(Claim claim) {
    long largest = largest(claim);
    if (largest < claim.bytes()) {
      throw WindowTooSmall.of(
          claim, candidates(claim).stream().map(Part::window).distinct().toList(), largest);
    }
  }

  private long largest(Claim claim) {
    long largest = 0;
    for (Part p : candidates(claim)) {
      for (AddressRange run : p.free.ranges()) {
        largest = Math.max(largest, roomFrom(Block.alignUp(run.start(), claim.alignment()), run));
      }
    }
    return largest;
  }

  private static long roomFrom(long start, AddressRange run) {
    return start > run.last() ? 0 : run.last() - start + 1;
  }

  /// The parts that may hold a claim, the best first: what may lie high leaves the low part to what may not.
  private List<Part> candidates(Claim claim) {
    List<Part> out = new ArrayList<>();
    if (claim.prefetchable()) {
      if (claim.wide()) {
        add(out, true, true);
        add(out, true, false);
      }
      add(out, false, true);
    }
    add(out, false, false);
    if (claim.wide() && !claim.prefetchable()) {
      add(out, true, false);
    }
    return out;
  }

  private void add(List<Part> out, boolean high, boolean prefetchable) {
    parts.stream()
        .filter(p -> p.high == high && p.window.prefetchable() == prefetchable)
        .forEach(out::add);
  }
}
