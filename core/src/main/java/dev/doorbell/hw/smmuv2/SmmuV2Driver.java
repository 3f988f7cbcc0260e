package dev.doorbell.hw.smmuv2;

import static dev.doorbell.hw.smmuv2.Gr0Registers.*;

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
import dev.doorbell.vmsa.VmsaTable;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Drives one SMMUv1 or SMMUv2. Safe for use from many threads.
///
/// StreamIDs that differ only in bits that are not compared ({@link SmmuV2Settings#streamMask}) are one stream: what is set for one holds
/// for the other. Each address space that a stream uses has a context bank, shared by all streams that use it. Locks are taken in the
/// order driver, address space.
///
/// **Source** IHI 0062 D.c, 2 (translation), 3 (faults), 4.5 (TLB maintenance), 9.6, 10.2, 16.5 (registers).
public final class SmmuV2Driver implements Iommu, AutoCloseable {
  /// The smallest register window: two pages of 4 KiB in each half (IHI 0062 D.c, 9.1).
  public static final long LEAST_WINDOW = 0x4000;

  private final SmmuV2Port port;
  private final PhysicalMemory memory;
  private final Frames frames;
  private final SmmuV2Probe probe;
  private final Stage stage;
  private final StreamMap streams;
  private final ContextBanks banks;
  private final GuestBanks guests;
  private final FaultDrain faults;
  private final StreamAttachments<ContextBanks, StreamWay, SmmuV2AddressSpace> attachments;

  private SmmuV2Driver(
      SmmuV2Port port,
      PhysicalMemory memory,
      Frames frames,
      SmmuV2Settings settings,
      SmmuV2Probe probe) {
    this.port = port;
    this.memory = memory;
    this.frames = frames;
    this.probe = probe;
    this.stage = settings.stage().orElse(probe.preferredStage());
    this.streams = new StreamMap(port, probe, settings.streamMask());
    this.banks = new ContextBanks(port, probe);
    this.guests = new GuestBanks(port, probe, banks);
    this.faults = new FaultDrain(port, probe.banks());
    this.attachments = new StreamAttachments<>(banks, new Ways());
  }

  /// {@return a driver of an SMMU that it has reset, with every stream blocked}
  ///
  /// @param id of the machine description
  /// @param registers the whole window
  /// @throws SmmuV2Unsupported when the hardware lacks what is needed
  /// @throws SmmuV2Timeout when invalidations do not end
  public static SmmuV2Driver open(
      String id,
      RegisterBus registers,
      PhysicalMemory memory,
      Frames frames,
      SmmuV2Settings settings) {
    SmmuV2Port port = SmmuV2Port.of(id, registers, settings.polls());
    SmmuV2Probe probe = SmmuV2Probe.read(port);
    SmmuV2Driver driver = new SmmuV2Driver(port, memory, frames, settings, probe);
    if (!probe.has(driver.stage)) {
      throw new SmmuV2Unsupported(
          id, "SMMU_IDR0", port.gr0(IDR0), driver.stage + " is not implemented");
    }
    driver.start();
    return driver;
  }

  /// The order that the manual asks for and that Linux keeps: no stream goes anywhere before client accesses are looked at.
  private void start() {
    port.writeGr0(GFSR, GFSR.access().w1c());
    streams.reset();
    banks.reset();
    port.writeGr0(TLBIALLH, 0);
    port.writeGr0(TLBIALLNSNH, 0);
    port.sync();
    port.writeGr0(CR0, control());
  }

  /// Faults are recorded and told by wire, streams that match nothing fault, and nothing of another one's broadcast is taken over.
  private long control() {
    return CR0_GFRE.place(1)
        | CR0_GFIE.place(1)
        | CR0_GCFGFRE.place(1)
        | CR0_GCFGFIE.place(1)
        | CR0_USFCFG.place(1)
        | CR0_VMIDPNE.place(1)
        | CR0_PTM.place(1)
        | CR0_SMCFCFG.place(1)
        | CR0_EXIDENABLE.place(probe.extended() ? 1 : 0);
  }

  @Override
  public String id() {
    return port.id();
  }

  @Override
  public IommuCapabilities capabilities() {
    return new IommuCapabilities(
        probe.version() == 2 ? "SMMUv2" : "SMMUv1",
        probe.usable(),
        probe.inputBits(stage),
        probe.outputBits(stage),
        probe.streamBits(),
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
    if (!probe.has(of)) {
      throw new IllegalArgumentException("%s has no %s".formatted(id(), of));
    }
    if (!probe.usable().contains(granule)) {
      throw new IllegalArgumentException(
          "%s has the granules %s, not %s".formatted(id(), probe.usable(), granule));
    }
    VmsaGeometry geometry = probe.geometry(granule, of);
    return new SmmuV2AddressSpace(VmsaTable.create(geometry, memory, frames, false), probe.is64());
  }

  /// @throws StreamMatchesExhausted when the stream needs a register and none is free
  /// @throws ContextBanksExhausted when the address space needs a bank and none is free
  /// @throws SmmuV2Unsupported when the hardware cannot tell the StreamID
  @Override
  public void attach(int streamId, AddressSpace space) {
    SmmuV2AddressSpace wanted = usable(space);
    attachments.attach(streams.key(streamId), wanted);
  }

  /// The way of a stream is one register.
  @Override
  public boolean attachesHitlessly(int streamId, AddressSpace space) {
    return attachments.of(streams.key(streamId)).isPresent();
  }

  @Override
  public void block(int streamId) {
    attachments.detach(streams.key(streamId), StreamWay.of(streams.fault()));
  }

  /// @throws StreamMatchesExhausted when the stream needs a register and none is free
  @Override
  public void bypass(int streamId) {
    attachments.detach(streams.key(streamId), StreamWay.of(streams.passing()));
  }

  /// Puts a guest's own stage 1 above the stage 2 that a stream is attached to, in a context bank of its own. It stays until the stream is attached to anything,
  /// blocked or bypassed, or gets another one: a guest that writes its registers anew is nested anew. Translations that the guest changes are
  /// dropped when it says so ({@link #guestInvalidates}), and what is unmapped from stage 2 is gone for both stages at once.
  ///
  /// @throws dev.doorbell.iommu.GuestRefused when the guest asks for what is not its own, or what the SMMU has not; nothing is changed then
  /// @throws ContextBanksExhausted when no bank of stage 1 is free; nothing is changed then
  /// @throws IllegalStateException when the stream is not attached to stage 2, or the SMMU has no nested banks
  public void nest(int streamId, SmmuV2GuestContext guest) {
    int key = streams.key(streamId);
    attachments.change(() -> {
      SmmuV2AddressSpace below = below(streamId, key);
      guest.check(id(), probe);
      attachments.compose(
          key,
          Set.of(below),
          () -> {
            StreamWay.Guest place = guests.place(key, banks.open(below), guest);
            return new StreamWay(streams.translating(place.bank()), Optional.of(place));
          });
    });
  }

  /// Carries invalidations out that the guest of a nested stream wrote; on return they are complete.
  ///
  /// A stream that has no guest's stage 1 just now has nothing to drop.
  ///
  /// @throws dev.doorbell.iommu.GuestRefused when one of them is not a guest's; none is carried out then
  /// @throws SmmuV2Timeout when they do not end
  /// @throws IllegalStateException when the stream is not attached to stage 2
  public void guestInvalidates(int streamId, List<SmmuV2GuestOperation> operations) {
    int key = streams.key(streamId);
    attachments.change(() -> {
      below(streamId, key);
      operations.forEach(o -> o.forHost(id(), probe));
      Optional<StreamWay.Guest> guest = guestOf(key);
      if (guest.isPresent() && !operations.isEmpty()) {
        operations.forEach(o -> guests.invalidate(guest.get(), o));
        port.sync();
      }
    });
  }

  private SmmuV2AddressSpace below(int streamId, int key) {
    return attachments
        .of(key)
        .filter(s -> s.stage() == Stage.STAGE2 && probe.nests())
        .orElseThrow(() ->
            new IllegalStateException(
                "stream 0x%x of %s has no stage 2 that a guest's stage 1 could lie above; attach it to an address space of stage 2 first"
                    .formatted(streamId, id())));
  }

  private Optional<StreamWay.Guest> guestOf(int key) {
    return streams.bankOf(key).flatMap(guests::at);
  }

  /// {@return what was recorded of faults since the last look}
  public List<SmmuV2Fault> drainFaults() {
    return attachments.locked(faults::drain);
  }

  /// Leaves the SMMU with every stream blocked.
  ///
  /// @throws IllegalStateException when a stream is still attached
  @Override
  public void close() {
    attachments.end(id(), this::start);
  }

  /// A stream's entry is its way: a stream-to-context register, and the bank of a guest's behind it.
  private final class Ways implements StreamAttachments.Hardware<StreamWay, SmmuV2AddressSpace> {
    @Override
    public StreamWay entry(int key) {
      return new StreamWay(streams.wayOf(key), guestOf(key));
    }

    @Override
    public StreamWay leadingTo(SmmuV2AddressSpace space) {
      return StreamWay.of(streams.translating(banks.open(space)));
    }

    @Override
    public void write(int key, StreamWay way, Orders orders) {
      // A bank that could not be programmed leads nowhere: a stream must not be led there, in
      // taking back neither.
      way.guest().ifPresent(guest -> guests.open(key, guest));
      streams.lead(key, way.register(), orders);
      guests.closeOthers(key, way.guest(), orders);
    }

    @Override
    public void forget(SmmuV2AddressSpace space) {
      banks.close(space);
    }
  }

  private SmmuV2AddressSpace usable(AddressSpace space) {
    if (!(space instanceof SmmuV2AddressSpace own)) {
      throw new IllegalArgumentException(
          "%s cannot use %s: it is not an SMMUv2's".formatted(id(), space));
    }
    VmsaGeometry g = own.geometry();
    String why = "";
    if (!probe.has(g.stage())) {
      why = g.stage() + " is not implemented";
    } else if (own.is64() != probe.is64()) {
      why = "its tables are of the other execution state";
    } else if (!probe.usable().contains(g.granule())) {
      why = "granule %s is not among %s".formatted(g.granule(), probe.usable());
    } else if (g.inputBits() > probe.inputBits(g.stage())) {
      why =
          "its %d-bit input is wider than %d bits"
              .formatted(g.inputBits(), probe.inputBits(g.stage()));
    } else if (g.outputBits() > probe.outputBits(g.stage())) {
      why =
          "its %d-bit output is wider than %d bits"
              .formatted(g.outputBits(), probe.outputBits(g.stage()));
    }
    if (!why.isEmpty()) {
      throw new IllegalArgumentException("%s cannot use %s: %s".formatted(id(), own, why));
    }
    return own;
  }
}
