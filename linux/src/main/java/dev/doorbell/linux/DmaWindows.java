package dev.doorbell.linux;

import dev.doorbell.address.Granule;
import dev.doorbell.iommu.GranuleNotSupported;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// IOVAs that a container can map, as the kernel told them last: they change with its groups and its windows alone, and every mapping looks
/// at them. Guarded by the container's lock.
final class DmaWindows {
  private final String name;
  private final DmaSpace space;
  private final Optional<Granule> wanted;
  private @Nullable List<DmaWindow> known;
  private @Nullable Granule granule;

  /// @param name of the container
  /// @param wanted the size of pages that its user asked for
  DmaWindows(String name, DmaSpace space, Optional<Granule> wanted) {
    this.name = name;
    this.space = space;
    this.wanted = wanted;
  }

  /// From now on the kernel may tell others.
  void forget() {
    known = null;
    granule = null;
  }

  List<DmaWindow> all() {
    List<DmaWindow> all = known == null ? space.windows() : known;
    known = all;
    return all;
  }

  /// @throws GranuleNotSupported when pages have no such size as is wanted
  Granule granule() {
    Granule g = granule == null ? smallest() : granule;
    granule = g;
    return g;
  }

  private Granule smallest() {
    long sizes = all().stream().mapToLong(DmaWindow::pageSizes).reduce(0, (a, b) -> a | b);
    Granule smallest = new Granule(Math.max(Long.numberOfTrailingZeros(sizes), Granule.K4.shift()));
    if (wanted.isPresent() && (sizes & wanted.get().bytes()) == 0) {
      throw new GranuleNotSupported(name, "the kernel", wanted.get(), List.of(smallest));
    }
    return wanted.orElse(smallest);
  }
}
