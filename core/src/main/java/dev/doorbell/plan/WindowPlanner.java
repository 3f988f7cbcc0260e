package dev.doorbell.plan;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Sizes;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.explain.Source;
import dev.doorbell.plan.WindowPlan.Doorbell;
import dev.doorbell.survey.Regions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/// Sizes the MSI window of a domain and finds its place.
final class WindowPlanner {
  /// Where every Arm Linux host has put its window since 4.11 (`MSI_IOVA_BASE`), and the second choice that was proposed for
  /// hosts whose bridges cannot reach it (2025).
  private static final long[] CUSTOMARY = {0x800_0000L, 0xa000_0000L};

  private static final long CUSTOMARY_BYTES = Sizes.MIB;

  private final MachineDescription machine;
  private final Landscape land;
  private final List<AddressRange> ram;

  WindowPlanner(MachineDescription machine, Landscape land, List<AddressRange> ram) {
    this.machine = machine;
    this.land = land;
    this.ram = ram;
  }

  /// {@return the window, or nothing when no doorbell needs a mapping}
  Optional<WindowPlan> plan(List<Subject> subjects, Optional<AddressRange> wanted) {
    List<Doorbell> doorbells = doorbells(subjects);
    if (doorbells.isEmpty()) {
      return Optional.empty();
    }
    long needed = doorbells.size() * land.granule().bytes();
    if (wanted.isPresent()) {
      return Optional.of(
          window(wanted.get(), doorbells, needed, "asked for", Source.rule("--window")));
    }
    if (land.recordedWindow().isPresent() && fits(land.recordedWindow().get(), needed)) {
      Thing recorded = land.recordedWindow().get();
      return recorded
          .range()
          .map(r ->
              window(
                  r,
                  doorbells,
                  needed,
                  "the captured kernel's own window; guests planned around it work on that kernel too",
                  recorded.source()));
    }
    return Optional.of(place(subjects, doorbells, needed));
  }

  private boolean fits(Thing recorded, long needed) {
    return recorded
        .range()
        .map(r -> slots(r, land.granule()) * land.granule().bytes() >= needed)
        .orElse(false);
  }

  /// {@return whole granules in a range}
  static long slots(AddressRange range, Granule granule) {
    // Counted in granule numbers, which do not wrap at the top of 2^64 as addresses do.
    long mask = granule.bytes() - 1;
    long first = (range.start() >>> granule.shift()) + ((range.start() & mask) == 0 ? 0 : 1);
    long beyond = (range.last() >>> granule.shift()) + ((range.last() & mask) == mask ? 1 : 0);
    return Math.max(0, beyond - first);
  }

  private WindowPlan place(List<Subject> subjects, List<Doorbell> doorbells, long needed) {
    long all = Math.max(doorbells.size(), everyDoorbell().size()) * land.granule().bytes();
    long size = Math.max(Long.highestOneBit(all * 2 - 1), CUSTOMARY_BYTES);
    boolean low = subjects.stream().anyMatch(Subject::needsLowWindow);
    long limit = low ? Sizes.FOUR_GIB - 1 : land.aperture().last();
    for (long base : CUSTOMARY) {
      AddressRange at = AddressRange.ofSize(base, size);
      if (base % size == 0 && free(at) && Long.compareUnsigned(at.last(), limit) <= 0) {
        return window(
            at,
            doorbells,
            needed,
            "customary base, clear of RAM, PCI windows and reserved regions",
            Source.rule("Linux MSI_IOVA_BASE"));
      }
    }
    // Aligned candidates that are free start at 0 or right after something that is taken; skip
    // address 0, which drivers mistake for none.
    for (long base = size; Long.compareUnsigned(base + (size - 1), limit) <= 0 && base != 0; ) {
      AddressRange at = AddressRange.ofSize(base, size);
      Optional<AddressRange> hit = blocker(at);
      if (hit.isEmpty()) {
        return window(
            at,
            doorbells,
            needed,
            "lowest aligned place clear of RAM, PCI windows and reserved regions"
                + (low ? ", below 4 GiB for a 32-bit MSI capability" : ""),
            Source.rule("computed"));
      }
      long next = (hit.get().last() | (size - 1)) + 1;
      if (Long.compareUnsigned(next, base) <= 0) {
        break;
      }
      base = next;
    }
    AddressRange fallback = AddressRange.ofSize(CUSTOMARY[0], size);
    return window(
        fallback,
        doorbells,
        needed,
        "no free place of "
            + size
            + " bytes was found; the customary base is shown with what it meets",
        Source.rule("computed"));
  }

  private boolean free(AddressRange at) {
    return blocker(at).isEmpty();
  }

  private Optional<AddressRange> blocker(AddressRange at) {
    Optional<AddressRange> ramHit = ram.stream().filter(r -> r.overlaps(at)).findFirst();
    return ramHit.isPresent() ? ramHit : land.taken(at).flatMap(Thing::range);
  }

  private WindowPlan window(
      AddressRange range, List<Doorbell> doorbells, long needed, String why, Source source) {
    long available = slots(range, land.granule()) * land.granule().bytes();
    long slots = Math.max(1, available >>> land.granule().shift());
    int order = Long.SIZE - 1 - Long.numberOfLeadingZeros(slots);
    return new WindowPlan(
        range,
        land.granule(),
        doorbells,
        needed,
        Math.max(0, available - needed),
        order,
        why,
        source);
  }

  private List<Doorbell> doorbells(List<Subject> subjects) {
    TreeMap<Long, Doorbell> pages = new TreeMap<>(Long::compareUnsigned);
    for (Subject s : subjects) {
      if (s.iommu().map(Regions::translatesMsi).orElse(false)) {
        s.controllers().forEach(c -> add(pages, c));
      }
    }
    return new ArrayList<>(pages.values());
  }

  /// Every doorbell of the machine: the upper bound that holds whatever is plugged in later.
  private List<Doorbell> everyDoorbell() {
    TreeMap<Long, Doorbell> pages = new TreeMap<>(Long::compareUnsigned);
    machine.msiControllers().forEach(c -> add(pages, c));
    return new ArrayList<>(pages.values());
  }

  private void add(TreeMap<Long, Doorbell> pages, MsiControllerDescription c) {
    c.doorbell()
        .ifPresent(pa -> {
          long page = land.granule().alignDown(pa);
          pages.putIfAbsent(
              page, new Doorbell(c, AddressRange.ofSize(page, land.granule().bytes())));
        });
  }
}
