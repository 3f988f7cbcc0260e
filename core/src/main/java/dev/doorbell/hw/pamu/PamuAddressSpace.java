package dev.doorbell.hw.pamu;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Protection;
import dev.doorbell.iommu.WindowLayout;
import dev.doorbell.iommu.WindowLayout.Part;
import dev.doorbell.iommu.WindowsDoNotFit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// Mappings that every attached LIODN has in windows of its own. A change is written for all of them or for none.
///
/// What cannot lie in the windows that a LIODN has, 256 at most and of one size, is refused ({@link WindowsDoNotFit}) before anything is written. While the windows of a LIODN are cut
/// anew its accesses are refused: a PAMU cannot change the number of sub-windows at once.
final class PamuAddressSpace implements AddressSpace {
  /// Most sub-windows that any chip has.
  static final int MOST_WINDOWS = 256;

  static final int BITS = 36;

  private final PamuDriver driver;
  private final TreeMap<Long, Part> parts = new TreeMap<>();

  PamuAddressSpace(PamuDriver driver) {
    this.driver = driver;
  }

  PamuDriver driver() {
    return driver;
  }

  /// {@return the windows of what is mapped; the driver's lock is held}
  WindowLayout layout() {
    return WindowLayout.of(List.copyOf(parts.values()), driver.mostWindows()).orElseThrow();
  }

  @Override
  public Granule granule() {
    return Granule.K4;
  }

  @Override
  public long pageSizes() {
    return -1L << Granule.K4.shift() & -1L >>> (Long.SIZE - BITS);
  }

  @Override
  public AddressRange aperture() {
    return new AddressRange(0, -1L >>> (Long.SIZE - BITS));
  }

  /// Windows have one size, and a page lies at the start of one.
  @Override
  public long placing(long iova) {
    long[] last = {iova};
    driver.locked(() -> {
      if (!parts.isEmpty()) {
        last[0] = Math.max(iova, parts.lastEntry().getValue().iovas().last());
      }
    });
    return WindowLayout.leastSlot(last[0], driver.mostWindows());
  }

  @Override
  public void map(Iova iova, Pa pa, long bytes, Protection protection) {
    if (bytes <= 0
        || !granule().isAligned(iova.value())
        || !granule().isAligned(pa.value())
        || !granule().isAligned(bytes)
        || !aperture().contains(AddressRange.ofSize(iova.value(), bytes))
        || !aperture().contains(AddressRange.ofSize(pa.value(), bytes))) {
      throw new IllegalArgumentException(
          "cannot map 0x%x bytes at IOVA %s to %s: not whole pages, or outside %s"
              .formatted(bytes, iova, pa, aperture()));
    }
    AddressRange range = AddressRange.ofSize(iova.value(), bytes);
    driver.locked(() -> {
      if (parts.values().stream().anyMatch(p -> p.iovas().overlaps(range))) {
        throw new IllegalArgumentException("part of " + range + " is mapped");
      }
      Part part = new Part(range, pa.value(), protection);
      List<Part> wanted = new ArrayList<>(parts.values());
      wanted.add(part);
      WindowLayout layout =
          WindowLayout.of(wanted, driver.mostWindows()).orElseThrow(() -> doNotFit(range));
      driver.rewrite(this, layout);
      parts.put(range.start(), part);
    });
  }

  private WindowsDoNotFit doNotFit(AddressRange range) {
    return new WindowsDoNotFit(
        driver.id(),
        range,
        parts.values().stream().map(Part::iovas).toList(),
        driver.mostWindows());
  }

  @Override
  public long unmap(Iova iova, long bytes) {
    AddressRange range = AddressRange.ofSize(iova.value(), bytes);
    long[] unmapped = {0};
    driver.locked(() -> {
      List<Part> left = new ArrayList<>();
      for (Part p : parts.values()) {
        unmapped[0] += cut(p, range, left);
      }
      if (unmapped[0] > 0) {
        WindowLayout layout =
            WindowLayout.of(left, driver.mostWindows()).orElseThrow(() -> doNotFit(range));
        driver.rewrite(this, layout);
        parts.clear();
        left.forEach(p -> parts.put(p.iovas().start(), p));
      }
    });
    return unmapped[0];
  }

  /// {@return bytes of a part that lie in a range; what lies outside is left}
  private static long cut(Part p, AddressRange range, List<Part> left) {
    AddressRange have = p.iovas();
    if (!have.overlaps(range)) {
      left.add(p);
      return 0;
    }
    long bytes = have.bytes();
    if (have.start() < range.start()) {
      AddressRange before = new AddressRange(have.start(), range.start() - 1);
      left.add(new Part(before, p.pa(), p.protection()));
      bytes -= before.bytes();
    }
    if (have.last() > range.last()) {
      AddressRange after = new AddressRange(range.last() + 1, have.last());
      long pa = p.pa() + (after.start() - have.start());
      left.add(new Part(after, pa, p.protection()));
      bytes -= after.bytes();
    }
    return bytes;
  }

  @Override
  public Optional<Pa> translate(Iova iova) {
    List<Pa> found = new ArrayList<>();
    driver.locked(() -> {
      Map.Entry<Long, Part> e = parts.floorEntry(iova.value());
      if (e != null && e.getValue().iovas().contains(iova.value())) {
        found.add(new Pa(e.getValue().pa() + (iova.value() - e.getKey())));
      }
    });
    return found.stream().findFirst();
  }

  @Override
  public void close() {
    driver.close(this);
  }
}
