package dev.doorbell.hw.phb;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Iommu;
import dev.doorbell.iommu.IommuCapabilities;
import dev.doorbell.iommu.StreamAttachments;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Drives the DMA side of a host bridge, and hands out the driver of its messages. Each requester id is a PE of its own, so that what it may not do stops
/// it and nobody else. Safe for use from many threads.
///
/// A PE that was stopped (EEH) refuses everything until {@link #thaw}, or until its function is attached to other tables or blocked. Locks are taken in
/// the order streams, address space, tables.
///
/// **Source**: skiboot 7.1 `hw/phb3.c`, `hw/phb4.c`; Linux 6.12 `arch/powerpc/platforms/powernv/pci-ioda.c`.
public abstract sealed class PhbDriver implements Iommu permits Phb3Driver, Phb4Driver {
  private static final int REQUESTER_BITS = 16;

  /// What stands for a stream.
  ///
  /// @param windows its PE's
  /// @param state what its PE becomes; empty where it stays as it is
  private record Placement(PeWindows windows, Optional<PeState> state) {
    /// Who comes to other tables is not to be blamed for what was done before.
    static Placement at(PeWindows windows) {
      return new Placement(windows, Optional.of(PeState.RUNNING));
    }
  }

  private final String id;
  private final String kind;
  private final PhysicalMemory memory;
  private final Frames frames;
  private final PeTables tables;
  private final List<Granule> pages;
  private final StreamAttachments<PhbDriver, Placement, PhbAddressSpace> attached =
      new StreamAttachments<>(this, new Windows());

  /// @param pages that TCEs can map, ascending
  PhbDriver(String kind, PeTables tables, List<Granule> pages) {
    this.id = tables.id();
    this.kind = kind;
    this.memory = tables.memory;
    this.frames = tables.frames;
    this.tables = tables;
    this.pages = pages;
  }

  /// {@return the driver of its messages}
  public abstract PhbMsiDriver messages();

  @Override
  public String id() {
    return id;
  }

  @Override
  public IommuCapabilities capabilities() {
    return new IommuCapabilities(
        kind,
        pages,
        PhbAddressSpace.IOVA_BITS,
        TveLayout.REAL_ADDRESS.width(),
        REQUESTER_BITS,
        false,
        true);
  }

  /// Both windows of a PE, of 48 bits at least.
  @Override
  public AddressSpace createAddressSpace(Granule granule) {
    return createAddressSpace(granule, List.of());
  }

  /// The windows that are wanted, with tables of one to five levels: what lies below 2^59 is the first one's, what lies above is the second one's. A window
  /// where nothing is wanted stays closed.
  @Override
  public AddressSpace createAddressSpace(Granule granule, List<AddressRange> wanted) {
    if (!pages.contains(granule)) {
      throw new IllegalArgumentException(
          "%s has granules %s and not %s".formatted(id(), pages, granule));
    }
    return PhbAddressSpace.create(memory, frames, granule, wanted);
  }

  @Override
  public void attach(int streamId, AddressSpace space) {
    requireRid(streamId);
    if (!(space instanceof PhbAddressSpace wanted)) {
      throw new IllegalArgumentException(
          "%s cannot use %s: it is not a PHB's".formatted(id(), space));
    }
    attached.attach(streamId, wanted);
  }

  @Override
  public void block(int streamId) {
    requireRid(streamId);
    attached.detach(streamId, Placement.at(PeWindows.CLOSED));
  }

  /// In both windows: an address is the physical one, with or without bit 59.
  @Override
  public void bypass(int streamId) {
    requireRid(streamId);
    attached.detach(streamId, Placement.at(PeWindows.both(tables.untranslated())));
  }

  /// A stream's entry is the TVEs of its PE. Where it has none, and needs none, it is nobody's PE, which is closed.
  private final class Windows implements StreamAttachments.Hardware<Placement, PhbAddressSpace> {
    /// A PE that is stopped is stopped again when a change is taken back, and one that runs is not let go on when it was stopped meanwhile.
    @Override
    public Placement entry(int stream) {
      return tables
          .known(stream)
          .map(pe ->
              new Placement(
                  tables.windows(pe), Optional.of(tables.state(pe)).filter(PeState::isStopped)))
          .orElse(new Placement(PeWindows.CLOSED, Optional.empty()));
    }

    @Override
    public Placement leadingTo(PhbAddressSpace space) {
      return Placement.at(space.tves());
    }

    @Override
    public void write(int stream, Placement entry, StreamAttachments.Orders orders) {
      if (!entry.windows().equals(PeWindows.CLOSED) || tables.known(stream).isPresent()) {
        int pe = tables.pe(stream);
        orders.run(() -> tables.windows(pe, entry.windows()));
        entry
            .state()
            .ifPresent(state ->
                orders.run(() -> {
                  if (state.isStopped()) {
                    tables.state(pe, state);
                  } else {
                    tables.thaw(pe);
                  }
                }));
      }
    }

    /// What the bridge knows of tables it knows by PE, and has forgotten when the PE's window changed.
    @Override
    public void forget(PhbAddressSpace space) {}
  }

  /// A TVE is one word, an address is one TVE's, and TCEs of the former one are forgotten before the change is told to be done.
  @Override
  public boolean attachesHitlessly(int streamId, AddressSpace space) {
    return true;
  }

  private void requireRid(int streamId) {
    if (streamId < 0 || streamId >= RttLayout.ENTRIES) {
      throw new IllegalArgumentException(
          "%s has requester ids of %d bits, and 0x%x is none"
              .formatted(id(), REQUESTER_BITS, streamId));
    }
  }

  /// Has the bridge forget every TCE, before memory of tables is given back.
  void invalidate() {
    tables.killAll();
  }

  /// {@return why a function's PE is stopped, if it is}
  ///
  /// @throws PhbException when the bridge is fenced
  public Optional<PeStop> stopped(int streamId) {
    return tables.known(streamId).flatMap(tables::stopped);
  }

  /// {@return the PE that stands for requester ids that have none, and owns interrupts that nobody has}
  int nobody() {
    return tables.nobody();
  }

  /// Lets a function's PE go on that was stopped. The function should have been reset before.
  public void thaw(int streamId) {
    tables.known(streamId).ifPresent(tables::thaw);
  }

  /// {@return whether the bridge has cut itself off: nothing passes until its ETU is reset and {@link #restore}}
  public boolean isFenced() {
    return tables.isFenced();
  }

  /// After a reset of its ETU: gives the bridge all tables again, with the same PEs, windows and owners of interrupts; those that were on are on.
  public void restore() {
    attached.locked(() -> {
      tables.start();
      messages().restore();
      return true;
    });
  }

  /// {@return what the bridge itself has of PEs and interrupts that are in use, by name: `TVT<n>`, `PESTB<n>`, `MIST<n>`, `PQ<n>`}
  public Map<String, Long> own() {
    return tables.own();
  }
}
