package dev.doorbell.hw.phb;

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
  /// Pages whose tables the driver builds. The bridge has others.
  private static final List<Granule> GRANULES = List.of(Granule.K4, Granule.K64);

  private static final int REQUESTER_BITS = 16;

  private static final long CLOSED = 0;

  /// What stands for a stream.
  ///
  /// @param tve its PE's window
  /// @param state what its PE becomes; empty where it stays as it is
  private record Placement(long tve, Optional<PeState> state) {
    /// Who comes to other tables is not to be blamed for what was done before.
    static Placement at(long tve) {
      return new Placement(tve, Optional.of(PeState.RUNNING));
    }
  }

  private final String id;
  private final String kind;
  private final PhysicalMemory memory;
  private final Frames frames;
  private final PeTables tables;
  private final StreamAttachments<PhbDriver, Placement, PhbAddressSpace> attached =
      new StreamAttachments<>(this, new Windows());

  PhbDriver(String id, String kind, PhysicalMemory memory, Frames frames, PeTables tables) {
    this.id = id;
    this.kind = kind;
    this.memory = memory;
    this.frames = frames;
    this.tables = tables;
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
        GRANULES,
        PhbAddressSpace.MOST_BITS,
        PhbAddressSpace.MOST_BITS,
        REQUESTER_BITS,
        false,
        true);
  }

  @Override
  public AddressSpace createAddressSpace(Granule granule) {
    if (!GRANULES.contains(granule)) {
      throw new IllegalArgumentException(
          "%s has granules %s and not %s".formatted(id(), GRANULES, granule));
    }
    return PhbAddressSpace.create(memory, frames, granule);
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
    attached.detach(streamId, Placement.at(CLOSED));
  }

  @Override
  public void bypass(int streamId) {
    requireRid(streamId);
    attached.detach(streamId, Placement.at(tables.untranslated()));
  }

  /// A stream's entry is the TVE of its PE. Where it has none, and needs none, it is nobody's PE, which is closed.
  private final class Windows implements StreamAttachments.Hardware<Placement, PhbAddressSpace> {
    /// A PE that is stopped is stopped again when a change is taken back, and one that runs is not let go on when it was stopped meanwhile.
    @Override
    public Placement entry(int stream) {
      return tables
          .known(stream)
          .map(pe ->
              new Placement(
                  tables.window(pe), Optional.of(tables.state(pe)).filter(PeState::isStopped)))
          .orElse(new Placement(CLOSED, Optional.empty()));
    }

    @Override
    public Placement leadingTo(PhbAddressSpace space) {
      return Placement.at(space.tve());
    }

    @Override
    public void write(int stream, Placement entry, StreamAttachments.Orders orders) {
      if (entry.tve() != CLOSED || tables.known(stream).isPresent()) {
        int pe = tables.pe(stream);
        orders.run(() -> tables.window(pe, entry.tve()));
        entry.state().ifPresent(state -> orders.run(() -> tables.state(pe, state)));
      }
    }

    /// What the bridge knows of tables it knows by PE, and has forgotten when the PE's window changed.
    @Override
    public void forget(PhbAddressSpace space) {}
  }

  /// A TVE is one word, and TCEs of the former one are forgotten before the change is told to be done.
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
