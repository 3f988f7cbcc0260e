package dev.doorbell.hw.papr;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.bus.Rollback;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Iommu;
import dev.doorbell.iommu.IommuCapabilities;
import dev.doorbell.iommu.StreamAttachments;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The DMA windows of one PE of a PAPR guest, whose TCEs the hypervisor writes. Its stream is its LIOBN. Safe for use from many threads.
///
/// Pages of 4 KiB are in the window that the device tree tells of. Pages of 64 KiB are in a further one, which is asked for at the start where the tree
/// says that it may be. A PE that was stopped (EEH) is let go on when its stream is attached or blocked. When a stream moves from one address space to
/// another, its window is empty for a moment.
///
/// **Source**: LoPAPR 1.1, 7.4, 14.5.4.2; Linux 6.12 `arch/powerpc/platforms/pseries/iommu.c`.
public final class PaprDriver implements Iommu {
  private static final int LIOBN_BITS = 32;

  private final PaprHardware hw;
  private final PaprRecovery recovery;
  private final PaprWindows windows;
  private final StreamAttachments<PaprDriver, Optional<PaprAddressSpace>, PaprAddressSpace>
      attached = new StreamAttachments<>(this, new Contents());
  private volatile @Nullable PaprAddressSpace current;

  private PaprDriver(PaprHardware hw, PaprRecovery recovery, PaprWindows windows) {
    this.hw = hw;
    this.recovery = recovery;
    this.windows = windows;
  }

  /// {@return a driver of a PE whose windows it has emptied}
  ///
  /// @throws PaprException when the hypervisor does not give what the device tree tells of
  /// @throws dev.doorbell.bus.OutOfFramesException when there is no memory for a list of TCEs; nothing is kept then
  public static PaprDriver open(PaprHardware hw, PaprCalls calls) {
    PaprCalls own = calls.by(hw.id());
    PaprRecovery recovery = PaprRecovery.open(hw.endpoint(), own);
    try (Rollback rollback = new Rollback()) {
      PaprWindows windows = PaprWindows.open(hw, own, rollback);
      rollback.commit();
      return new PaprDriver(hw, recovery, windows);
    }
  }

  @Override
  public String id() {
    return hw.id();
  }

  @Override
  public IommuCapabilities capabilities() {
    List<Granule> granules = new ArrayList<>(List.of(Granule.K4));
    windows.wide().ifPresent(_ -> granules.add(Granule.K64));
    AddressRange last = windows.wide().orElse(hw.window());
    return new IommuCapabilities(
        "PAPR window",
        granules,
        Long.SIZE - Long.numberOfLeadingZeros(last.last()),
        TceLayout.RPN.msb() + 1,
        LIOBN_BITS,
        false,
        true);
  }

  @Override
  public AddressSpace createAddressSpace(Granule granule) {
    if (granule.equals(Granule.K64)) {
      return new PaprAddressSpace(granule, windows.wide().orElseThrow(() -> lacks(granule)));
    }
    if (!granule.equals(Granule.K4)) {
      throw lacks(granule);
    }
    return new PaprAddressSpace(granule, hw.window());
  }

  private IllegalArgumentException lacks(Granule granule) {
    return new IllegalArgumentException(
        "%s has granules %s and not %s".formatted(id(), capabilities().granules(), granule));
  }

  @Override
  public void attach(int streamId, AddressSpace space) {
    requireStream(streamId);
    if (!(space instanceof PaprAddressSpace wanted)
        || !wanted
            .aperture()
            .equals(
                wanted.granule().equals(Granule.K4) ? hw.window() : windows.wide().orElse(null))) {
      throw new IllegalArgumentException(
          "%s cannot use %s: its windows are %s and %s"
              .formatted(id(), space, hw.window(), windows.wide()));
    }
    attached.attach(streamId, wanted);
  }

  @Override
  public void block(int streamId) {
    requireStream(streamId);
    attached.detach(streamId, Optional.empty());
  }

  @Override
  public void bypass(int streamId) {
    requireStream(streamId);
    throw PaprException.noBypass(id());
  }

  private void requireStream(int streamId) {
    if (streamId != (int) hw.liobn()) {
      throw new IllegalArgumentException(
          "%s has the LIOBN 0x%x, and 0x%x is none of its".formatted(id(), hw.liobn(), streamId));
    }
  }

  /// Puts mappings of the address space that the PE uses into its window; those of another one come when it is attached.
  void put(PaprAddressSpace space, AddressRange range, long tce) {
    if (current == space) {
      windows.put(space.granule(), range, tce);
    }
  }

  void clear(PaprAddressSpace space, AddressRange range) {
    if (current == space) {
      windows.clear(space.granule(), range);
    }
  }

  /// What a window holds is what its stream is led to.
  private final class Contents
      implements StreamAttachments.Hardware<Optional<PaprAddressSpace>, PaprAddressSpace> {
    @Override
    public Optional<PaprAddressSpace> entry(int stream) {
      return Optional.ofNullable(current);
    }

    @Override
    public Optional<PaprAddressSpace> leadingTo(PaprAddressSpace space) {
      return Optional.of(space);
    }

    @Override
    public void write(
        int stream, Optional<PaprAddressSpace> entry, StreamAttachments.Orders orders) {
      PaprAddressSpace before = current;
      if (before != null) {
        before.forEach(
            () -> {},
            (range, _) -> orders.run(() -> windows.clear(before.granule(), range)),
            () -> current = null);
      }
      orders.run(PaprDriver.this::thaw);
      entry.ifPresent(next ->
          next.forEach(
              () -> current = next,
              (range, tce) -> orders.run(() -> windows.put(next.granule(), range, tce)),
              () -> {}));
    }

    /// A window is emptied when its PE leaves.
    @Override
    public void forget(PaprAddressSpace space) {}
  }

  /// {@return what ibm,read-slot-reset-state2 tells of the PE: 0 when it runs; 0, too, where the hypervisor does not tell}
  public int state() {
    return recovery.state();
  }

  /// {@return whether the PE is stopped: it did what it may not}
  public boolean isStopped() {
    return state() != Calls.STATE_NORMAL;
  }

  /// Lets a PE go on that was stopped. Its functions should have been reset before.
  public void thaw() {
    recovery.thaw();
  }

  /// Gives the further window and the list's memory back.
  ///
  /// @throws IllegalStateException when the stream is still attached
  public void close() {
    attached.end(id(), windows::close);
  }
}
