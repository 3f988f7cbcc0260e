package dev.doorbell.hw.smmuv3;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.IommuCapabilities;
import dev.doorbell.iommu.StreamAttachments;
import dev.doorbell.iommu.SubstreamIommu;
import dev.doorbell.vmsa.Stage;
import dev.doorbell.vmsa.VmsaGeometry;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;

/// Drives one SMMUv3. Safe for use from many threads.
///
/// Locks are taken in the order streams of a driver, address space, queue.
///
/// **Source** IHI 0070 G.b, 6.3 (registers), 3.17 and 3.21 (invalidation), 3.11 (start).
public final class SmmuDriver implements SubstreamIommu, AutoCloseable {
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
  private final EntryWriter entries;
  private final StreamAttachments<SmmuDriver, StreamEntry, SmmuAddressSpace> attachments;

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
    this.entries = new EntryWriter(memory, frames, start);
    this.attachments = new StreamAttachments<>(this, entries);
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
    return createAddressSpace(granule, stage);
  }

  /// {@return the same for a stage of choice: stage 2 lies below a guest's stage 1}
  ///
  /// @throws IllegalArgumentException when the hardware has not this granule or stage
  public AddressSpace createAddressSpace(Granule granule, Stage of) {
    if (!features.has(of)) {
      throw new IllegalArgumentException("%s has no %s".formatted(id(), of));
    }
    if (!features.granules().contains(granule)) {
      throw new IllegalArgumentException(
          "%s has the granules %s, not %s".formatted(id(), features.granules(), granule));
    }
    VmsaGeometry geometry =
        VmsaGeometry.of(granule, of, features.inputBits(of), features.outputBits(granule));
    return SmmuAddressSpace.create(
        settings,
        memory,
        frames,
        geometry,
        new SmmuAddressSpace.Tagging(tagBits(of), features.replacesLive()));
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
    attachments.detach(streamId, StreamEntry.of(StreamTableEntries.abort()));
  }

  @Override
  public void bypass(int streamId) {
    checkStream(streamId);
    attachments.detach(streamId, StreamEntry.of(StreamTableEntries.bypass()));
  }

  @Override
  public int substreamIdBits() {
    return ContextTable.substreamIdBits(features);
  }

  @Override
  public void attach(int streamId, int substreamId, AddressSpace space) {
    SmmuAddressSpace wanted = usable(space);
    if (wanted.geometry().stage() != Stage.STAGE1) {
      throw new IllegalArgumentException(
          "%s cannot use %s for a substream: context descriptors lead to stage 1"
              .formatted(id(), wanted));
    }
    checkSubstream(streamId, substreamId);
    compose(streamId, entry -> entry.with(substreamId, wanted));
  }

  @Override
  public void detach(int streamId, int substreamId) {
    checkSubstream(streamId, substreamId);
    attachments.change(() -> {
      if (entries.entry(streamId).substreams().containsKey(substreamId)) {
        compose(streamId, entry -> entry.without(substreamId));
      }
    });
  }

  private void compose(int streamId, UnaryOperator<StreamEntry> change) {
    attachments.change(() -> {
      StreamEntry now = entries.entry(streamId);
      if (now.hasStage2()) {
        throw new IllegalStateException(
            "stream 0x%x of %s translates by %s: only stage 1 has substreams; attach it elsewhere first"
                .formatted(
                    streamId, id(), attachments.of(streamId).map(Object::toString).orElse("")));
      }
      StreamEntry next = change.apply(now);
      Set<SmmuAddressSpace> spaces = next.spaces();
      attachments.of(streamId).ifPresent(spaces::add);
      attachments.compose(streamId, spaces, () -> entries.ready(streamId, next));
    });
  }

  /// Puts a guest's own stage 1 above the stage 2 that a stream is attached to. It stays until the stream is attached to anything, blocked or bypassed, or gets another
  /// one; a guest's bypass takes it away. Translations and descriptors that the guest changes are dropped when it says so ({@link #guestInvalidates}), and what
  /// is unmapped from stage 2 is gone for both stages at once.
  ///
  /// @throws dev.doorbell.iommu.GuestRefused when the guest asks for what is not its own, or what the SMMU has not; nothing is changed then
  /// @throws IllegalStateException when the stream is not attached to stage 2
  public void nest(int streamId, SmmuGuestEntry guest) {
    checkStream(streamId);
    attachments.change(() -> {
      SmmuAddressSpace below = below(streamId);
      long[] alone = entries.leadingTo(below).ste();
      StreamEntry next = StreamEntry.of(guest.above(id(), alone, features));
      attachments.compose(streamId, Set.of(below), () -> next);
    });
  }

  /// Carries invalidations out that the guest of a nested stream put into its command queue; on return they are complete.
  ///
  /// @throws dev.doorbell.iommu.GuestRefused when one of them is not a guest's; none is carried out then
  /// @throws IllegalStateException when the stream is not attached to stage 2
  public void guestInvalidates(int streamId, List<SmmuGuestCommand> guests) {
    checkStream(streamId);
    attachments.change(() -> {
      int vmid = below(streamId).tag();
      commands.run(guests.stream().map(c -> c.forHost(id(), streamId, vmid)).toList());
    });
  }

  private SmmuAddressSpace below(int streamId) {
    return attachments
        .of(streamId)
        .filter(s -> s.geometry().stage() == Stage.STAGE2 && features.stage1())
        .orElseThrow(() ->
            new IllegalStateException(
                "stream 0x%x of %s has no stage 2 that a guest's stage 1 could lie above; attach it to an address space of stage 2 first"
                    .formatted(streamId, id())));
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
          entries.free();
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
      commands.run(List.of(EntryWriter.all(space)));
      return;
    }
    List<SmmuCommand> batch = new ArrayList<>();
    for (long i = 0; i < granules; i++) {
      long at = range.start() + i * granule.bytes();
      batch.add(
          space.geometry().stage() == Stage.STAGE1
              ? SmmuCommand.tlbiNhVa(0, space.tag(), at, leafOnly)
              : SmmuCommand.tlbiS2Ipa(space.tag(), at, leafOnly));
    }
    if (space.geometry().stage() == Stage.STAGE2 && features.stage1()) {
      // What a guest's stage 1 was combined to with this goes by stage 1's commands alone.
      batch.add(SmmuCommand.tlbiNhAll(space.tag()));
    }
    commands.run(batch);
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

  private void checkSubstream(int streamId, int substreamId) {
    checkStream(streamId);
    if (substreamId < 1 || substreamId >>> substreamIdBits() != 0) {
      throw new IllegalArgumentException(
          "SubstreamID 0x%x is not from 1 on and within the %d bits of %s"
              .formatted(substreamId, substreamIdBits(), id()));
    }
  }

  private void checkStream(int streamId) {
    int bits = streams.streamIdBits();
    if (bits < Integer.SIZE && streamId >>> bits != 0) {
      throw new IllegalArgumentException(
          "stream 0x%x is wider than the %d bits of %s".formatted(streamId, bits, id()));
    }
  }
}
