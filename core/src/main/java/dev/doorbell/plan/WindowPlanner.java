package dev.doorbell.plan;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Sizes;
import dev.doorbell.description.IommuDescription;
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
  private final boolean ramKnown;
  private final long ramBytes;
  private final List<Subject> subjects;
  private final boolean pamu;

  /// Bytes from a doorbell to the next.
  private final long spacing;

  WindowPlanner(
      MachineDescription machine, Landscape land, List<Subject> subjects, PlanRequest request) {
    this.machine = machine;
    this.land = land;
    this.ram = request.ram();
    // RAM of a size is laid out around the window afterwards.
    this.ramBytes = request.ramBytes().orElse(0);
    this.ramKnown = !request.ram().isEmpty() || request.ramBytes().isPresent();
    this.subjects = subjects;
    this.pamu =
        subjects.stream().anyMatch(s -> s.iommu().orElse(null) instanceof IommuDescription.Pamu);
    this.spacing = spacing();
  }

  /// {@return the window, or nothing when no doorbell needs a mapping}
  Optional<WindowPlan> plan(Optional<AddressRange> wanted) {
    List<Doorbell> doorbells = doorbells();
    if (doorbells.isEmpty()) {
      return Optional.empty();
    }
    long needed = doorbells.size() == 1 ? land.granule().bytes() : doorbells.size() * spacing;
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
    return Optional.of(place(doorbells, needed));
  }

  /// Behind a PAMU each doorbell is in one of its windows, whose size what lies highest tells: the MSI window itself, which is behind RAM.
  private long spacing() {
    long granule = land.granule().bytes();
    long base = ramKnown ? powerOfTwo(ramEnd()) : CUSTOMARY[0];
    return pamu ? Math.max(granule, SubWindows.slot(base)) : granule;
  }

  private boolean fits(Thing recorded, long needed) {
    return recorded
        .range()
        .map(r -> slots(r, land.granule()) * land.granule().bytes() >= needed)
        .orElse(false);
  }

  /// {@return whole granules in a range}
  static long slots(AddressRange range, Granule granule) {
    return slots(range, granule.shift());
  }

  /// {@return whole pieces of 2^shift bytes, which windows of a PAMU may have more of than any granule}
  private static long slots(AddressRange range, int shift) {
    // Counted in numbers of pieces, which do not wrap at the top of 2^64 as addresses do.
    long mask = (1L << shift) - 1;
    long first = (range.start() >>> shift) + ((range.start() & mask) == 0 ? 0 : 1);
    long beyond = (range.last() >>> shift) + ((range.last() & mask) == mask ? 1 : 0);
    return Math.max(0, beyond - first);
  }

  /// The customary size where there is room for it, else what is left down to the need.
  private WindowPlan place(List<Doorbell> doorbells, long needed) {
    long all = Math.max(doorbells.size(), everyDoorbell().size()) * spacing;
    long size = Math.max(powerOfTwo(all), CUSTOMARY_BYTES);
    boolean low = subjects.stream().anyMatch(Subject::needsLowWindow);
    long limit = low ? Sizes.FOUR_GIB - 1 : land.aperture().last();
    // RAM around a window in its middle would not lie in windows of one size.
    boolean few = ramKnown && pamu;
    for (long bytes = size; bytes >= powerOfTwo(needed); bytes >>>= 1) {
      Optional<AddressRange> found = few ? Optional.empty() : customary(bytes, limit);
      if (found.isPresent()) {
        return window(
            found.get(),
            doorbells,
            needed,
            "customary base, " + clear(bytes, size),
            customarySource(found.get()));
      }
      found = lowest(few ? Math.max(bytes, powerOfTwo(ramEnd())) : bytes, bytes, limit);
      if (found.isPresent()) {
        return window(
            found.get(),
            doorbells,
            needed,
            "lowest aligned place "
                + clear(bytes, size)
                + (low ? ", below 4 GiB for a 32-bit MSI capability" : ""),
            Source.rule("computed"));
      }
    }
    return window(
        AddressRange.ofSize(CUSTOMARY[0], size),
        doorbells,
        needed,
        "no free place of "
            + powerOfTwo(needed)
            + " bytes was found; the customary base is shown with what it meets",
        Source.rule("computed"));
  }

  /// {@return the first address above RAM that begins at 0, as a guest's does where windows are few}
  private long ramEnd() {
    return ram.stream().mapToLong(r -> r.last() + 1).max().orElse(Math.max(1, ramBytes));
  }

  private static long powerOfTwo(long atLeast) {
    return Long.highestOneBit(atLeast * 2 - 1);
  }

  private static Source customarySource(AddressRange at) {
    return Source.rule(
        at.start() == CUSTOMARY[0]
            ? "Linux MSI_IOVA_BASE"
            : "second base of the patches of 2025 to Linux, which no release has");
  }

  private Optional<AddressRange> customary(long size, long limit) {
    for (long base : CUSTOMARY) {
      AddressRange at = AddressRange.ofSize(base, size);
      if (base % size == 0 && free(at) && Long.compareUnsigned(at.last(), limit) <= 0) {
        return Optional.of(at);
      }
    }
    return Optional.empty();
  }

  /// Aligned candidates that are free start right after something that is taken, or at the first that is not 0, which drivers mistake
  /// for none.
  private Optional<AddressRange> lowest(long from, long size, long limit) {
    for (long base = from; Long.compareUnsigned(base + (size - 1), limit) <= 0 && base != 0; ) {
      AddressRange at = AddressRange.ofSize(base, size);
      Optional<AddressRange> hit = blocker(at);
      if (hit.isEmpty()) {
        return Optional.of(at);
      }
      long next = (hit.get().last() | (size - 1)) + 1;
      if (Long.compareUnsigned(next, base) <= 0) {
        break;
      }
      base = next;
    }
    return Optional.empty();
  }

  /// Names what was seen, and nothing that the capture does not tell.
  private String clear(long bytes, long customary) {
    List<String> of = new ArrayList<>();
    if (ramKnown) {
      of.add("RAM");
    }
    if (!land.pciWindows().isEmpty()) {
      of.add("PCI windows");
    }
    of.add("reserved regions");
    String last = of.removeLast();
    return "clear of %s%s%s"
        .formatted(
            of.isEmpty() ? last : String.join(", ", of) + " and " + last,
            land.unreachable().isEmpty() ? "" : ", inside dma-ranges",
            bytes == customary ? "" : "; no place of %d bytes is free".formatted(customary));
  }

  private boolean free(AddressRange at) {
    return blocker(at).isEmpty();
  }

  private Optional<AddressRange> blocker(AddressRange at) {
    Optional<AddressRange> ramHit = ram.stream().filter(r -> r.overlaps(at)).findFirst();
    return ramHit
        .or(() -> land.unreachable().stream().filter(u -> u.overlaps(at)).findFirst())
        .or(() -> land.taken(at).flatMap(Thing::range));
  }

  private WindowPlan window(
      AddressRange range, List<Doorbell> doorbells, long needed, String why, Source source) {
    // Counted in granules: the bytes of the whole 64-bit space are no long. Head room is told up to
    // 2^63.
    long whole = slots(range, Long.numberOfTrailingZeros(spacing));
    long slots = Math.max(1, whole);
    int shift = land.granule().shift();
    long spare = Math.max(0, whole - doorbells.size());
    long headroom = Math.min(spare, Long.MAX_VALUE >>> shift) << shift;
    int order = Long.SIZE - 1 - Long.numberOfLeadingZeros(slots);
    return new WindowPlan(range, land.granule(), doorbells, needed, headroom, order, why, source);
  }

  private List<Doorbell> doorbells() {
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
    machine.msiControllers().stream().filter(c -> !isFirmwares(c)).forEach(c -> add(pages, c));
    return new ArrayList<>(pages.values());
  }

  /// Files of machine level are firmware's, and no device's message goes there.
  private static boolean isFirmwares(MsiControllerDescription c) {
    return c instanceof MsiControllerDescription.Imsic i && i.machineLevel();
  }

  private void add(TreeMap<Long, Doorbell> pages, MsiControllerDescription c) {
    for (MsiControllerDescription.Doorbell d : c.doorbells()) {
      long page = land.granule().alignDown(d.address());
      pages.putIfAbsent(
          page, new Doorbell(c, d.frame(), AddressRange.ofSize(page, land.granule().bytes())));
    }
  }
}
