package dev.doorbell.plan;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.explain.Source;
import dev.doorbell.iommu.Protection;
import dev.doorbell.iommu.WindowLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Whether RAM and doorbells can lie together in the windows of an IOMMU that has few, all of one size (R25).
final class SubWindows {
  /// Most sub-windows of a LIODN that Linux uses.
  private static final int MOST = 256;

  private SubWindows() {}

  /// {@return the least bytes of a window when something lies at an IOVA; each doorbell takes one}
  static long slot(long highest) {
    return WindowLayout.leastSlot(highest, MOST);
  }

  /// {@return the first multiple of a power of two from an IOVA on}
  private static long next(long at, long bytes) {
    return (at + bytes - 1) & -bytes;
  }

  static void check(
      List<Subject> subjects,
      Optional<WindowPlan> window,
      List<AddressRange> ram,
      List<Conflict> conflicts) {
    Optional<IommuDescription> pamu =
        subjects.stream()
            .flatMap(s -> s.iommu().stream())
            .filter(i -> i instanceof IommuDescription.Pamu)
            .findFirst();
    if (pamu.isEmpty() || window.isEmpty()) {
      return;
    }
    List<WindowLayout.Part> parts = new ArrayList<>();
    // Where the guest's memory lies is chosen later, as well aligned as it has to be.
    ram.forEach(r -> parts.add(new WindowLayout.Part(r, r.start(), Protection.READ_WRITE)));
    WindowPlan w = window.get();
    long highest = ram.stream().mapToLong(AddressRange::last).max().orElse(0);
    long at = w.range().start();
    for (WindowPlan.Doorbell d : w.doorbells()) {
      at = next(at, slot(Math.max(highest, at)));
      AddressRange page = AddressRange.ofSize(at, w.granule().bytes());
      parts.add(new WindowLayout.Part(page, d.page().start(), Protection.DOORBELL));
      at += w.granule().bytes();
    }
    // A window with too few granules is told to be too small.
    boolean inside =
        WindowPlanner.slots(w.range(), w.granule()) < w.doorbells().size()
            || parts.stream()
                .filter(p -> p.protection().equals(Protection.DOORBELL))
                .allMatch(p -> w.range().contains(p.iovas()));
    if (!inside || WindowLayout.of(parts, MOST).isEmpty()) {
      conflicts.add(
          new Conflict(
              "WindowsDoNotFit",
              Thing.at("MSI window", w.range(), w.source()),
              Thing.named(pamu.get().id(), pamu.get().source()),
              true,
              "%s has %d windows of one size for a LIODN, each a power of two that is filled from its start: %sthe doorbells of %s do not lie in them%s"
                  .formatted(
                      pamu.get().id(),
                      MOST,
                      ram.isEmpty() ? "" : "RAM " + ram + " and ",
                      w.range(),
                      ram.isEmpty() ? "" : " together"),
              ram.isEmpty()
                  ? "plan functions behind one MPIC bank at a time"
                  : "give the guest RAM from 0 on, in a power of two or a few pieces of one, and let the window be chosen behind it (%s)"
                      .formatted(Source.rule("PPAACE.WSE and WCE"))));
    }
  }
}
