package dev.doorbell.hw.phb;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.Rollback;
import dev.doorbell.iommu.Protection;
import dev.doorbell.iommu.SharedAddressSpace;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The windows of PEs: one of IOVAs from 0 on and one from 2^59 on, or the one of them that is wanted, each with TCE tables of its own.
final class PhbAddressSpace extends SharedAddressSpace<PhbDriver> {
  /// Bits of an IOVA.
  static final int IOVA_BITS = 60;

  /// Bits of a window whose size nobody chose.
  private static final int USUAL_BITS = 48;

  private final Granule granule;
  private final List<TceWindow> windows;

  private PhbAddressSpace(Granule granule, List<TceWindow> windows) {
    this.granule = granule;
    this.windows = windows;
  }

  /// {@return windows that map nothing}
  ///
  /// @param wanted IOVAs that they are to hold as far as windows can; empty for two of the usual size
  /// @throws dev.doorbell.bus.OutOfFramesException when there is no memory; nothing is kept then
  static PhbAddressSpace create(
      PhysicalMemory memory, Frames frames, Granule granule, List<AddressRange> wanted) {
    List<TceWindow> made = new ArrayList<>();
    try (Rollback rollback = new Rollback()) {
      for (int number = 0; number < TveLayout.PER_PE; number++) {
        int bits = wanted.isEmpty() ? USUAL_BITS : bits(number, wanted);
        if (bits > 0) {
          TceWindow w = TceWindow.create(number, granule, bits, memory, frames);
          rollback.add(w.table()::close);
          made.add(w);
        }
      }
      rollback.commit();
    }
    return new PhbAddressSpace(granule, List.copyOf(made));
  }

  /// {@return bits of IOVA that a window needs; 0 where nothing in it is wanted}
  private static int bits(int number, List<AddressRange> wanted) {
    return wanted.stream()
        .filter(r -> TceWindow.of(r.last()) == number)
        .mapToInt(r -> Long.SIZE - Long.numberOfLeadingZeros(TveLayout.OFFSET.get(r.last()) | 1))
        .map(bits -> Math.min(bits, TceWindow.MOST_BITS))
        .max()
        .orElse(0);
  }

  /// {@return the TVEs that lead here}
  PeWindows tves() {
    return new PeWindows(tve(0), tve(1));
  }

  private long tve(int number) {
    return windows.stream()
        .filter(w -> w.number() == number)
        .mapToLong(TceWindow::tve)
        .findFirst()
        .orElse(0);
  }

  @Override
  public Granule granule() {
    return granule;
  }

  /// TCEs have pages of one size.
  @Override
  public long pageSizes() {
    return granule.bytes();
  }

  @Override
  public AddressRange aperture() {
    return windows.isEmpty()
        ? new AddressRange(0, 0)
        : new AddressRange(windows.getFirst().iovas().start(), windows.getLast().iovas().last());
  }

  @Override
  public List<AddressRange> iovas() {
    return windows.stream().map(TceWindow::iovas).toList();
  }

  private @Nullable TceWindow find(long iova) {
    for (TceWindow w : windows) {
      if (w.iovas().contains(iova)) {
        return w;
      }
    }
    return null;
  }

  /// {@return the window that has IOVAs}
  private TceWindow holding(Iova iova, long bytes) {
    TceWindow w = find(iova.value());
    if (w == null || w != find(iova.value() + (bytes - 1))) {
      throw new IllegalArgumentException(
          "0x%x bytes at %s are in none of the windows %s".formatted(bytes, iova, iovas()));
    }
    return w;
  }

  @Override
  protected void change(Iova iova, Pa pa, long bytes, Protection protection) {
    TceWindow w = holding(iova, bytes);
    w.table().map(w.within(iova.value()), pa, bytes, protection, (_, _) -> forgetEverywhere());
  }

  @Override
  protected long remove(Iova iova, long bytes) {
    TceWindow w = holding(iova, bytes);
    return w.table().unmap(w.within(iova.value()), bytes, (_, _) -> forgetEverywhere());
  }

  private void forgetEverywhere() {
    users().forEach(PhbDriver::invalidate);
  }

  @Override
  protected Optional<Pa> look(Iova iova) {
    TceWindow w = find(iova.value());
    return w == null ? Optional.empty() : w.table().translate(w.within(iova.value()));
  }

  @Override
  protected void release() {
    windows.forEach(w -> w.table().close());
  }

  @Override
  protected String name(PhbDriver iommu) {
    return iommu.id();
  }

  @Override
  public String toString() {
    return windows.toString();
  }
}
