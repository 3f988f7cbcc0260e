package dev.doorbell.linux;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.IntervalSet;
import dev.doorbell.address.Iova;
import dev.doorbell.bus.Rollback;
import dev.doorbell.explain.Source;
import dev.doorbell.iommu.MappingOverlap;
import dev.doorbell.iommu.Misaligned;
import dev.doorbell.iommu.MsiWindowConflict;
import dev.doorbell.iommu.OutsideAperture;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.iommu.ReservedRegionConflict;
import dev.doorbell.iommu.UnmapSplitsMapping;
import dev.doorbell.vfio.DmaBuffer;
import dev.doorbell.vfio.InUse;
import dev.doorbell.vfio.MappingPlacement;
import dev.doorbell.vfio.PlacedMappings;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;

/// What a container of the kernel maps, kept here as well: an overlap, or a cut through a mapping, is refused by its own name before the
/// kernel is asked, and what the kernel says it unmapped can be checked. Guarded by the container's lock.
final class LinuxMappings {
  private static final Source RANGES = Source.rule("IOVA ranges of the kernel");

  private final String name;
  private final TreeMap<Iova, ProcessBuffer> mapped = new TreeMap<>();
  private final PlacedMappings placed = new PlacedMappings();

  /// Regions of the groups that are in, as they were told when each came: to read them for every mapping takes longer than to map.
  private final Map<LinuxGroup, List<ReservedRegion>> regions = new LinkedHashMap<>();

  /// @param name of the container
  LinuxMappings(String name) {
    this.name = name;
  }

  void add(Iova iova, ProcessBuffer buffer) {
    mapped.put(iova, buffer);
  }

  /// Forgets everything, where the kernel has, too.
  void clear() {
    mapped.values().forEach(ProcessBuffer::unmapped);
    mapped.clear();
    placed.clear();
  }

  /// {@return the mappings whose places were chosen}
  PlacedMappings placed() {
    return placed;
  }

  /// From now on nothing is mapped where a group has its regions, until it leaves.
  ///
  /// @throws MsiWindowConflict when its window meets a mapping
  /// @throws ReservedRegionConflict when another of its regions does
  void enter(LinuxGroup group) {
    List<ReservedRegion> its = group.reserved();
    for (ReservedRegion r : its) {
      for (Map.Entry<Iova, ProcessBuffer> e : mapped.entrySet()) {
        if (r.kind() != ReservedRegion.Kind.DIRECT_RELAXABLE && iovas(e).overlaps(r.range())) {
          String attempt = "cannot attach %s to %s".formatted(group.name(), name);
          String mapping = "mapping " + iovas(e);
          throw r.kind() == ReservedRegion.Kind.SW_MSI
              ? new MsiWindowConflict(attempt, r.range(), mapping, r.source(), "unmap it first")
              : new ReservedRegionConflict(
                  attempt, named(r), mapping, r.source(), "unmap it first");
        }
      }
    }
    regions.put(group, its);
  }

  /// Refuses a group where the kernel's windows do not hold what the user said it would map, reserved regions apart.
  ///
  /// @throws OutsideAperture when they do not
  void requireHeld(List<AddressRange> wanted, Granule granule, List<DmaWindow> windows) {
    for (AddressRange w : wanted) {
      IntervalSet left = IntervalSet.of(w);
      windows.forEach(o -> left.remove(o.iovas()));
      for (List<ReservedRegion> of : regions.values()) {
        of.forEach(r -> left.remove(pages(granule, r.range())));
      }
      if (!left.ranges().isEmpty()) {
        throw new OutsideAperture(name, "wanted IOVAs " + w, hull(windows), RANGES);
      }
    }
  }

  private static AddressRange pages(Granule granule, AddressRange range) {
    return new AddressRange(granule.alignDown(range.start()), range.last() | (granule.bytes() - 1));
  }

  private static AddressRange hull(List<DmaWindow> windows) {
    return new AddressRange(windows.getFirst().iovas().start(), windows.getLast().iovas().last());
  }

  /// Undoes {@link #enter}.
  void leave(LinuxGroup group) {
    regions.remove(group);
  }

  /// {@return the lowest IOVAs that are free for a buffer}
  Iova place(List<AddressRange> ranges, Granule granule, DmaBuffer buffer) {
    return MappingPlacement.lowest(name, ranges, all(), granule, buffer.bytes());
  }

  /// Refuses by name what the kernel would refuse with EINVAL or EEXIST. What is told of a refusal is made for a refusal alone: to write it takes
  /// longer than to map.
  ///
  /// @param least the container's granule; a window may have larger pages
  AddressRange check(Iova iova, ProcessBuffer b, Granule least, List<DmaWindow> windows) {
    Granule g = granule(iova, least, windows);
    if (!g.isAligned(iova.value()) || !g.isAligned(b.bytes()) || !g.isAligned(b.address())) {
      throw new Misaligned(name, what(iova, b), g);
    }
    AddressRange aperture = hull(windows);
    long last = iova.value() + (b.bytes() - 1);
    if (Long.compareUnsigned(last, iova.value()) < 0
        || !aperture.contains(new AddressRange(iova.value(), last))) {
      throw new OutsideAperture(name, what(iova, b), aperture, RANGES);
    }
    AddressRange iovas = new AddressRange(iova.value(), last);
    for (List<ReservedRegion> of : regions.values()) {
      requireOutside(of, iovas);
    }
    if (!isInOne(windows, iovas)) {
      List<AddressRange> ranges = windows.stream().map(DmaWindow::iovas).toList();
      throw new OutsideAperture(name, what(iova, b) + ", of " + ranges + ",", aperture, RANGES);
    }
    Optional<AddressRange> other = overlapping(iovas);
    if (other.isPresent()) {
      throw new MappingOverlap(name, iovas, "mapping " + other.get());
    }
    return iovas;
  }

  private static Granule granule(Iova iova, Granule least, List<DmaWindow> windows) {
    for (DmaWindow w : windows) {
      if (w.iovas().contains(iova.value()) && w.granule().shift() > least.shift()) {
        return w.granule();
      }
    }
    return least;
  }

  private static boolean isInOne(List<DmaWindow> windows, AddressRange iovas) {
    for (DmaWindow w : windows) {
      if (w.iovas().contains(iovas)) {
        return true;
      }
    }
    return false;
  }

  private static String what(Iova iova, ProcessBuffer b) {
    return "mapping of 0x%x bytes at IOVA %s".formatted(b.bytes(), iova);
  }

  private Optional<AddressRange> overlapping(AddressRange iovas) {
    return Optional.ofNullable(mapped.floorEntry(new Iova(iovas.last())))
        .map(LinuxMappings::iovas)
        .filter(o -> o.overlaps(iovas));
  }

  private static AddressRange iovas(Map.Entry<Iova, ProcessBuffer> e) {
    return AddressRange.ofSize(e.getKey().value(), e.getValue().bytes());
  }

  private void requireOutside(List<ReservedRegion> reserved, AddressRange iovas) {
    for (ReservedRegion r : reserved) {
      if (r.range().overlaps(iovas) && r.kind() != ReservedRegion.Kind.DIRECT_RELAXABLE) {
        String attempt = "cannot map %s in %s".formatted(iovas, name);
        throw r.kind() == ReservedRegion.Kind.SW_MSI
            ? new MsiWindowConflict(
                attempt, r.range(), "MSI window of the kernel", r.source(), "map outside it")
            : new ReservedRegionConflict(
                attempt, named(r), "mapping " + iovas, r.source(), "map outside it");
      }
    }
  }

  /// {@return IOVAs of the mappings, ascending}
  List<AddressRange> all() {
    return mapped.entrySet().stream().map(LinuxMappings::iovas).toList();
  }

  /// @throws InUse when something is mapped in a window
  void requireNoneIn(AddressRange window) {
    overlapping(window)
        .ifPresent(m -> {
          throw new InUse("take a window away", "the window " + window, "mapping " + m);
        });
  }

  /// Unmaps whole mappings.
  ///
  /// {@return bytes that were mapped}
  long unmap(AddressRange iovas, DmaSpace space) {
    Map.Entry<Iova, ProcessBuffer> before = mapped.lowerEntry(new Iova(iovas.start()));
    if (before != null && iovas(before).overlaps(iovas)) {
      throw splits(iovas, iovas(before));
    }
    NavigableMap<Iova, ProcessBuffer> gone =
        mapped.subMap(new Iova(iovas.start()), true, new Iova(iovas.last()), true);
    if (gone.isEmpty()) {
      return 0;
    }
    AddressRange last = iovas(gone.lastEntry());
    if (!iovas.contains(last)) {
      throw splits(iovas, last);
    }
    long bytes = 0;
    for (ProcessBuffer b : gone.values()) {
      bytes += b.bytes();
    }
    AddressRange whole = new AddressRange(gone.firstKey().value(), last.last());
    OptionalLong said = space.unmap(whole);
    if (said.isPresent() && said.getAsLong() != bytes) {
      throw new IllegalStateException(
          "the kernel unmapped 0x%x bytes of %s in %s, where 0x%x were mapped"
              .formatted(said.getAsLong(), whole, name, bytes));
    }
    List<ProcessBuffer> unmapped = List.copyOf(gone.values());
    gone.clear();
    placed.remove(whole);
    // Each is tried, whatever the one before throws.
    try (Rollback all = new Rollback()) {
      unmapped.forEach(b -> all.add(() -> space.unlock(b)));
    } finally {
      unmapped.forEach(ProcessBuffer::unmapped);
    }
    return bytes;
  }

  private UnmapSplitsMapping splits(AddressRange asked, AddressRange mapping) {
    return new UnmapSplitsMapping(name, asked, mapping, "mapping " + mapping);
  }

  private static String named(ReservedRegion r) {
    return "%s region %s".formatted(r.kind().printed(), r.range());
  }
}
