package dev.doorbell.hw.papr;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.IntervalMap;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.iommu.Protection;
import dev.doorbell.iommu.SharedAddressSpace;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/// Mappings that are in the windows of all PEs which are attached. The hypervisor keeps the tables, one a window: they are remembered here for PEs that
/// come later.
final class PaprAddressSpace extends SharedAddressSpace<PaprDriver> {
  /// @param tce of the first page
  private record Run(long tce) {}

  private final Granule granule;
  private final AddressRange aperture;
  private final ReentrantLock contents = new ReentrantLock();
  private final IntervalMap<Run> runs = new IntervalMap<>();

  PaprAddressSpace(Granule granule, AddressRange aperture) {
    this.granule = granule;
    this.aperture = aperture;
  }

  @Override
  public Granule granule() {
    return granule;
  }

  @Override
  public long pageSizes() {
    return granule.bytes();
  }

  @Override
  public AddressRange aperture() {
    return aperture;
  }

  private static Run piece(Run run, AddressRange whole, AddressRange piece) {
    return new Run(run.tce() + (piece.start() - whole.start()));
  }

  @Override
  protected void change(Iova iova, Pa pa, long bytes, Protection protection) {
    if (bytes <= 0
        || granule.offset(iova.value() | pa.value() | bytes) != 0
        || !aperture.contains(AddressRange.ofSize(iova.value(), bytes))) {
      throw new IllegalArgumentException(
          "%s cannot map 0x%x bytes at %s to %s".formatted(this, bytes, iova, pa));
    }
    AddressRange range = AddressRange.ofSize(iova.value(), bytes);
    long tce =
        TceLayout.RPN.place(pa.value())
            | TceLayout.READ.place(protection.read() ? 1 : 0)
            | TceLayout.WRITE.place(protection.write() ? 1 : 0);
    contents.lock();
    try {
      runs.insert(range, new Run(tce));
      try {
        for (PaprDriver d : users()) {
          d.put(this, range, tce);
        }
      } catch (RuntimeException failed) {
        takeBack(range, failed);
        throw failed;
      }
    } finally {
      contents.unlock();
    }
  }

  private void takeBack(AddressRange range, RuntimeException because) {
    runs.remove(range, PaprAddressSpace::piece);
    for (PaprDriver d : users()) {
      try {
        d.clear(this, range);
      } catch (RuntimeException again) {
        because.addSuppressed(again);
      }
    }
  }

  /// A window that could not be cleared keeps the mapping here, too, so that nothing is given to others that a device can reach.
  @Override
  protected long remove(Iova iova, long bytes) {
    AddressRange range = AddressRange.ofSize(iova.value(), bytes);
    contents.lock();
    try {
      List<IntervalMap.Entry<Run>> gone = runs.remove(range, PaprAddressSpace::piece);
      long removed = 0;
      try {
        for (IntervalMap.Entry<Run> e : gone) {
          for (PaprDriver d : users()) {
            d.clear(this, e.range());
          }
          removed += e.range().bytes();
        }
      } catch (RuntimeException failed) {
        putBack(gone, failed);
        throw failed;
      }
      return removed;
    } finally {
      contents.unlock();
    }
  }

  private void putBack(List<IntervalMap.Entry<Run>> gone, RuntimeException because) {
    for (IntervalMap.Entry<Run> e : gone) {
      runs.insert(e.range(), e.value());
      for (PaprDriver d : users()) {
        try {
          d.put(this, e.range(), e.value().tce());
        } catch (RuntimeException again) {
          because.addSuppressed(again);
        }
      }
    }
  }

  @Override
  protected Optional<Pa> look(Iova iova) {
    contents.lock();
    try {
      return runs.find(iova.value())
          .map(
              e -> new Pa(TceLayout.RPN.get(e.value().tce()) + (iova.value() - e.range().start())));
    } finally {
      contents.unlock();
    }
  }

  /// Runs work before, on, and after all mappings while none changes.
  void forEach(Runnable before, MappingVisitor visitor, Runnable after) {
    contents.lock();
    try {
      before.run();
      for (IntervalMap.Entry<Run> e : runs) {
        visitor.mapping(e.range(), e.value().tce());
      }
      after.run();
    } finally {
      contents.unlock();
    }
  }

  /// Takes a run of pages.
  @FunctionalInterface
  interface MappingVisitor {
    /// @param tce of the first page
    void mapping(AddressRange range, long tce);
  }

  @Override
  protected void release() {
    // The tables are the hypervisor's; windows were cleared when their PEs left.
  }

  @Override
  protected String name(PaprDriver iommu) {
    return iommu.id();
  }

  @Override
  public String toString() {
    return "mappings of windows %s with pages of 0x%x bytes".formatted(aperture, granule.bytes());
  }
}
