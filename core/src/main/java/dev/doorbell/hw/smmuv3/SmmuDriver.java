package dev.doorbell.hw.smmuv3;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Iommu;
import dev.doorbell.iommu.IommuCapabilities;
import dev.doorbell.iommu.StreamAttachments;
import dev.doorbell.iommu.StreamAttachments.Orders;
import dev.doorbell.vmsa.Stage;
import dev.doorbell.vmsa.VmsaGeometry;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// Drives one SMMUv3. Safe for use from many threads.
///
/// Locks are taken in the order streams of a driver, address space, queue.
///
/// **Source** IHI 0070 G.b, 6.3 (registers), 3.17 and 3.21 (invalidation), 3.11 (start).
public final class SmmuDriver implements Iommu, AutoCloseable {
  /// Above so many granules one command for the whole address space is cheaper than one a granule.
  private static final int MOST_TLBI = 64;

  private final SmmuPort port;
  private final PhysicalMemory memory;
  private final Frames frames;
  private final SmmuSettings settings;
  private final ProbedFeatures features;
  private final Stage stage;
  private final StreamTable streams;
  private final CommandIssuer commands;
  private final EventDrain events;
  private final StreamAttachments<SmmuDriver, long[], SmmuAddressSpace> attachments =
      new StreamAttachments<>(this, new Entries());

  private SmmuDriver(
      SmmuPort port, PhysicalMemory memory, Frames frames, SmmuSettings settings, SmmuStart start) {
    this.port = port;
    this.memory = memory;
    this.frames = frames;
    this.settings = settings;
    this.features = start.features();
    this.stage = start.stage();
    this.streams = start.streams();
    this.commands = start.commands();
    this.events = start.events();
  }

  /// {@return a driver of an SMMU that it has reset, with every stream blocked}
  ///
  /// @param id of the machine description
  /// @param registers both pages of the window, 128 KiB
  /// @throws SmmuUnsupportedException when the hardware lacks what is needed
  /// @throws SmmuTimeoutException when a register does not follow
  /// @throws dev.doorbell.bus.OutOfFramesException when there is no memory for tables and queues; nothing is kept then
  public static SmmuDriver open(
      String id,
      RegisterBus registers,
      PhysicalMemory memory,
      Frames frames,
      SmmuSettings settings) {
    SmmuPort port = new SmmuPort(id, registers, settings.polls());
    SmmuStart start = SmmuStart.run(port, memory, frames, settings);
    return new SmmuDriver(port, memory, frames, settings, start);
  }

  @Override
  public String id() {
    return port.id();
  }

  @Override
  public IommuCapabilities capabilities() {
    return new IommuCapabilities(
        "SMMUv3",
        features.granules(),
        features.inputBits(stage),
        features.outputBits(),
        streams.streamIdBits(),
        true,
        stage == Stage.STAGE2);
  }

  @Override
  public AddressSpace createAddressSpace(Granule granule) {
    if (!features.granules().contains(granule)) {
      throw new IllegalArgumentException(
          "%s has the granules %s, not %s".formatted(id(), features.granules(), granule));
    }
    VmsaGeometry geometry =
        VmsaGeometry.of(granule, stage, features.inputBits(stage), features.outputBits(granule));
    return SmmuAddressSpace.create(
        settings,
        memory,
        frames,
        geometry,
        new SmmuAddressSpace.Tagging(tagBits(stage), features.replacesLive()));
  }

  @Override
  public void attach(int streamId, AddressSpace space) {
    SmmuAddressSpace wanted = usable(space);
    checkStream(streamId);
    attachments.attach(streamId, wanted);
  }

  /// Stage 1 hangs on one pointer in the entry's first quadword: old tables or new ones, and nothing in between. Stage 2 takes two
  /// quadwords, which the hardware must not see half written.
  @Override
  public boolean attachesHitlessly(int streamId, AddressSpace space) {
    Optional<SmmuAddressSpace> now = attachments.of(streamId);
    return now.isPresent()
        && now.get().geometry().stage() == Stage.STAGE1
        && usable(space).geometry().stage() == Stage.STAGE1;
  }

  @Override
  public void block(int streamId) {
    checkStream(streamId);
    attachments.detach(streamId, StreamTableEntries.abort());
  }

  @Override
  public void bypass(int streamId) {
    checkStream(streamId);
    attachments.detach(streamId, StreamTableEntries.bypass());
  }

  /// {@return what was waiting in the event queue and in SMMU_GERROR}
  public SmmuEvents drainEvents() {
    return events.drain();
  }

  /// Stops the SMMU and gives its memory back. From then on every access of every stream is aborted.
  ///
  /// @throws IllegalStateException when a stream is still attached
  @Override
  public void close() {
    attachments.end(
        id(),
        () -> {
          SmmuStart.disable(port);
          streams.free();
          commands.free();
          events.free();
        });
  }

  /// Drops the translations of a range of an address space.
  void invalidate(SmmuAddressSpace space, AddressRange range, boolean leafOnly) {
    Granule granule = space.granule();
    long granules = (range.last() - range.start()) / granule.bytes() + 1;
    if (granules > MOST_TLBI) {
      commands.run(List.of(all(space)));
      return;
    }
    List<SmmuCommand> batch = new ArrayList<>();
    for (long i = 0; i < granules; i++) {
      long at = range.start() + i * granule.bytes();
      batch.add(
          space.geometry().stage() == Stage.STAGE1
              ? SmmuCommand.tlbiNhVa(space.tag(), at, leafOnly)
              : SmmuCommand.tlbiS2Ipa(space.tag(), at, leafOnly));
    }
    commands.run(batch);
  }

  private SmmuCommand all(SmmuAddressSpace space) {
    return space.geometry().stage() == Stage.STAGE1
        ? SmmuCommand.tlbiNhAsid(space.tag())
        : SmmuCommand.tlbiS12Vmall(space.tag());
  }

  private void sync(SmmuCommand command) {
    commands.run(List.of(command));
  }

  /// A stream's entry is the eight words of its STE.
  private final class Entries implements StreamAttachments.Hardware<long[], SmmuAddressSpace> {
    @Override
    public long[] entry(int streamId) {
      return SteUpdate.read(memory, at(streamId));
    }

    /// {@return where a stream's entry lies, made when it is the first of its kind}
    private long at(int streamId) {
      return streams.entry(streamId, () -> sync(SmmuCommand.cfgiSte(streamId, false)));
    }

    @Override
    public long[] leadingTo(SmmuAddressSpace space) {
      return StreamTableEntries.translate(space, features.stalls());
    }

    @Override
    public void write(int streamId, long[] entry, Orders orders) {
      Runnable forget = () -> orders.run(() -> sync(SmmuCommand.cfgiSte(streamId, true)));
      if (Arrays.equals(entry, SteUpdate.read(memory, at(streamId)))) {
        // What a failed change left in the SMMU goes, too.
        forget.run();
      }
      SteUpdate.write(memory, at(streamId), entry, forget::run);
      memory.publish();
      if (SteLayout.CONFIG.get(entry[0]) == SteLayout.CONFIG_S1_TRANS) {
        // The descriptor's memory may have held another one for this stream before.
        orders.run(() -> sync(SmmuCommand.cfgiCd(streamId)));
      }
    }

    @Override
    public void forget(SmmuAddressSpace space) {
      commands.run(List.of(all(space)));
    }
  }

  private SmmuAddressSpace usable(AddressSpace space) {
    if (!(space instanceof SmmuAddressSpace own)) {
      throw new IllegalArgumentException(
          "%s cannot use %s: it is not an SMMUv3's".formatted(id(), space));
    }
    VmsaGeometry g = own.geometry();
    String why = "";
    if (own.tags() != settings.tags()) {
      why = "its number is not of this machine's set";
    } else if (!features.has(g.stage())) {
      why = g.stage() + " is not implemented";
    } else if (!features.granules().contains(g.granule())) {
      why = "granule %s is not among %s".formatted(g.granule(), features.granules());
    } else if (g.outputBits() > features.outputBits()) {
      why =
          "its %d-bit output is wider than %d bits"
              .formatted(g.outputBits(), features.outputBits());
    } else if (own.tag() >= 1 << tagBits(g.stage())) {
      why = "its number is wider than %d bits".formatted(tagBits(g.stage()));
    }
    if (!why.isEmpty()) {
      throw new IllegalArgumentException("%s cannot use %s: %s".formatted(id(), own, why));
    }
    return own;
  }

  private int tagBits(Stage of) {
    return of == Stage.STAGE1 ? features.asidBits() : features.vmidBits();
  }

  private void checkStream(int streamId) {
    int bits = streams.streamIdBits();
    if (bits < Integer.SIZE && streamId >>> bits != 0) {
      throw new IllegalArgumentException(
          "stream 0x%x is wider than the %d bits of %s".formatted(streamId, bits, id()));
    }
  }
}
