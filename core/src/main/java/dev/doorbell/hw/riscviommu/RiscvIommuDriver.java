package dev.doorbell.hw.riscviommu;

import static dev.doorbell.hw.riscviommu.RiscvIommuRegisters.*;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.bus.Rollback;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.IommuCapabilities;
import dev.doorbell.iommu.StreamAttachments;
import dev.doorbell.iommu.SubstreamIommu;
import dev.doorbell.vmsa.Stage;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;

/// Drives one RISC-V IOMMU. Domains are first-stage tables with the second stage Bare, or second-stage ones, as settings say; each device has one of them, processes with a
/// first stage each (a substream is a process), or a guest's own first stage above a second one. Doorbells are mapped like memory; the interrupt files of a guest are
/// what an MSI page table leads to ({@link #createGuest}). Safe for use from many threads.
///
/// Locks are taken in the order devices of a driver, address space, queue.
///
/// **Source**: RISC-V IOMMU Architecture 1.0, 2.7, 4, 6, 7.2, 7.3 (guidelines for software).
public final class RiscvIommuDriver implements SubstreamIommu, AutoCloseable {
  /// Above so many pages one command for the whole address space is cheaper than one a page.
  private static final int MOST_PAGES = 64;

  /// What a page table entry's PPN holds.
  private static final int MOST_OUTPUT_BITS = 56;

  private final RiscvIommuPort port;
  private final PhysicalMemory memory;
  private final Frames frames;
  private final RiscvIommuSettings settings;
  private final RiscvIommuStart start;
  private final long capabilities;
  private final DeviceTable devices;
  private final CommandIssuer commands;
  private final ContextWriter contexts;
  private final StreamAttachments<RiscvIommuDriver, DeviceEntry, RiscvIommuAddressSpace>
      attachments;

  private RiscvIommuDriver(
      RiscvIommuPort port,
      PhysicalMemory memory,
      Frames frames,
      RiscvIommuSettings settings,
      RiscvIommuStart start) {
    this.port = port;
    this.memory = memory;
    this.frames = frames;
    this.settings = settings;
    this.start = start;
    this.capabilities = start.capabilities();
    this.devices = start.devices();
    this.commands = start.commands();
    this.contexts = new ContextWriter(memory, frames, start);
    this.attachments = new StreamAttachments<>(this, contexts);
  }

  /// {@return a driver of an IOMMU that it has reset, with every device blocked}
  ///
  /// @param id of the machine description
  /// @param registers 4 KiB
  /// @throws RiscvIommuUnsupported when the hardware lacks what is needed
  /// @throws RiscvIommuTimeout when a register does not follow
  /// @throws dev.doorbell.bus.OutOfFramesException when there is no memory for tables and queues; nothing is kept then
  public static RiscvIommuDriver open(
      String id,
      RegisterBus registers,
      PhysicalMemory memory,
      Frames frames,
      RiscvIommuSettings settings) {
    RiscvIommuPort port = new RiscvIommuPort(id, registers, settings.polls());
    RiscvIommuStart start = RiscvIommuStart.run(port, memory, frames, settings);
    return new RiscvIommuDriver(port, memory, frames, settings, start);
  }

  @Override
  public String id() {
    return port.id();
  }

  @Override
  public IommuCapabilities capabilities() {
    // Of a first stage a sign bit less: only the lower half of the addresses is used.
    Stage stage = stage();
    int more = stage == Stage.STAGE2 ? SvPteLayout.WIDER_ROOT_BITS : -1;
    return new IommuCapabilities(
        "RISC-V IOMMU",
        List.of(Granule.K4),
        SvPteLayout.shift(SvPteLayout.levels(mode(stage))) + more,
        outputBits(),
        devices.deviceIdBits(),
        true,
        false);
  }

  private Stage stage() {
    return settings.secondStage() ? Stage.STAGE2 : Stage.STAGE1;
  }

  /// {@return the mode of a stage's tables, the widest that the IOMMU has; Bare where it has none}
  private int mode(Stage stage) {
    return RiscvIommuStart.widest(capabilities, stage == Stage.STAGE2);
  }

  /// {@return the width of physical addresses in tables}
  private int outputBits() {
    return Math.min(PAS.getInt(capabilities), MOST_OUTPUT_BITS);
  }

  @Override
  public AddressSpace createAddressSpace(Granule granule) {
    return createAddressSpace(granule, stage());
  }

  /// {@return the same for a stage of choice: the second one lies below a guest's first one}
  ///
  /// @throws IllegalArgumentException when the hardware has not this granule or stage
  public AddressSpace createAddressSpace(Granule granule, Stage of) {
    if (!granule.equals(Granule.K4)) {
      throw new IllegalArgumentException("%s has pages of 4K, not %s".formatted(id(), granule));
    }
    return create(shape(of));
  }

  private RiscvIommuAddressSpace.Shape shape(Stage of) {
    if (mode(of) == DirectoryLayout.BARE) {
      throw new IllegalArgumentException(
          "%s has no %s stage that the driver could use"
              .formatted(id(), of == Stage.STAGE2 ? "second" : "first"));
    }
    return RiscvIommuAddressSpace.Shape.of(of, mode(of), outputBits(), SVPBMT.isSet(capabilities));
  }

  private RiscvIommuAddressSpace create(RiscvIommuAddressSpace.Shape shape) {
    return RiscvIommuAddressSpace.create(this, settings.tags(), memory, frames, shape);
  }

  /// {@return a guest whose devices reach its interrupt files; none leads anywhere yet}
  ///
  /// @throws RiscvIommuUnsupported when the IOMMU has no MSI page tables
  /// @throws IllegalArgumentException when it has no second stage, or the files lie beyond its addresses
  /// @throws dev.doorbell.bus.OutOfFramesException when there is no memory for tables
  public RiscvIommuGuest createGuest(RiscvIommuGuest.Files files) {
    if (!MSI_FLAT.isSet(capabilities)) {
      throw new RiscvIommuUnsupported(
          id(), CAPABILITIES.name(), capabilities, "which has no MSI page tables (MSI_FLAT)");
    }
    RiscvIommuAddressSpace.Shape shape = shape(Stage.STAGE2);
    files.requireWithin(
        SvPteLayout.shift(SvPteLayout.levels(shape.mode())) + SvPteLayout.WIDER_ROOT_BITS);
    try (Rollback rollback = new Rollback()) {
      MsiTable table = new MsiTable(files, MSI_MRIF.isSet(capabilities), memory, frames);
      rollback.add(table::free);
      RiscvIommuGuest guest = new RiscvIommuGuest(create(shape.with(table)));
      rollback.commit();
      return guest;
    }
  }

  @Override
  public void attach(int streamId, AddressSpace space) {
    RiscvIommuAddressSpace wanted = usable(space);
    checkDevice(streamId);
    attachments.attach(streamId, wanted);
  }

  @Override
  public void block(int streamId) {
    checkDevice(streamId);
    attachments.detach(streamId, contexts.blocked());
  }

  @Override
  public void bypass(int streamId) {
    checkDevice(streamId);
    attachments.detach(streamId, contexts.passing());
  }

  /// {@return width of a process_id, of the widest process directory; 0 where the hardware has none}
  @Override
  public int substreamIdBits() {
    return ProcessTable.processIdBits(capabilities);
  }

  @Override
  public void attach(int streamId, int substreamId, AddressSpace space) {
    RiscvIommuAddressSpace wanted = usable(space);
    if (wanted.isSecond()) {
      throw new IllegalArgumentException(
          "%s cannot use %s for a process: process contexts lead to first stages"
              .formatted(id(), wanted));
    }
    checkProcess(streamId, substreamId);
    compose(streamId, entry -> entry.with(substreamId, wanted));
  }

  @Override
  public void detach(int streamId, int substreamId) {
    checkProcess(streamId, substreamId);
    attachments.change(() -> {
      if (contexts.entry(streamId).processes().containsKey(substreamId)) {
        compose(streamId, entry -> entry.without(substreamId));
      }
    });
  }

  private void compose(int deviceId, UnaryOperator<DeviceEntry> change) {
    attachments.change(() -> {
      DeviceEntry now = contexts.entry(deviceId);
      if (now.hasSecond()) {
        throw new IllegalStateException(
            "device 0x%x of %s translates by %s: only first stages are told apart by processes; attach it elsewhere first"
                .formatted(
                    deviceId, id(), attachments.of(deviceId).map(Object::toString).orElse("")));
      }
      DeviceEntry next = change.apply(now);
      Set<RiscvIommuAddressSpace> spaces = next.spaces();
      attachments.of(deviceId).ifPresent(spaces::add);
      attachments.compose(deviceId, spaces, () -> contexts.ready(deviceId, next));
    });
  }

  /// Puts a guest's own first stage, or its process directory, above the second stage that a device is attached to. It stays until the device is attached to anything, blocked or
  /// bypassed, or gets another one. What the guest changes in its tables is dropped when it says so ({@link #guestInvalidates}); what is unmapped from the
  /// second stage, or led elsewhere in the guest's MSI page table, is gone for both stages at once.
  ///
  /// @throws dev.doorbell.iommu.GuestRefused when the guest asks for what is not its own, or what the IOMMU has not; nothing is changed then
  /// @throws IllegalStateException when the device is not attached to a second stage
  public void nest(int deviceId, RiscvIommuGuestContext guest) {
    checkDevice(deviceId);
    attachments.change(() -> {
      RiscvIommuAddressSpace below = below(deviceId);
      long[] alone = contexts.leadingTo(below).context();
      DeviceEntry next = DeviceEntry.of(guest.above(id(), alone, capabilities));
      attachments.compose(deviceId, Set.of(below), () -> next);
    });
  }

  /// Carries invalidations out that the guest of a nested device put into its command queue; on return they are complete.
  ///
  /// @throws dev.doorbell.iommu.GuestRefused when one of them is not a guest's; none is carried out then
  /// @throws IllegalStateException when the device is not attached to a second stage
  public void guestInvalidates(int deviceId, List<RiscvIommuGuestCommand> guests) {
    checkDevice(deviceId);
    attachments.change(() -> {
      RiscvIommuGuestCommand.Host host =
          new RiscvIommuGuestCommand.Host(id(), deviceId, below(deviceId).tag(), substreamIdBits());
      commands.run(guests.stream().map(c -> c.forHost(host)).toList());
    });
  }

  private RiscvIommuAddressSpace below(int deviceId) {
    return attachments
        .of(deviceId)
        .filter(RiscvIommuAddressSpace::isSecond)
        .orElseThrow(() ->
            new IllegalStateException(
                "device 0x%x of %s has no second stage that a guest's first one could lie above; attach it to an address space of the second stage first"
                    .formatted(deviceId, id())));
  }

  /// Drops the translations of a range of an address space.
  void invalidate(RiscvIommuAddressSpace space, AddressRange range, boolean leafOnly) {
    long pages = (range.last() - range.start()) / DirectoryLayout.PAGE_BYTES + 1;
    List<RiscvIommuCommand> batch = new ArrayList<>();
    if (space.isSecond()) {
      // First: by what a context keeps of the second stage, more could be made of it otherwise.
      batch.addAll(contexts.nested(space.tag()));
    }
    // An address names leaf entries only: after a table was taken out, all must go.
    if (!leafOnly || pages > MOST_PAGES) {
      batch.add(
          space.isSecond()
              ? RiscvIommuCommand.guest(space.tag())
              : RiscvIommuCommand.all(space.tag()));
      pages = 0;
    }
    for (long i = 0; i < pages; i++) {
      long at = range.start() + i * DirectoryLayout.PAGE_BYTES;
      batch.add(
          space.isSecond()
              ? RiscvIommuCommand.guestPage(space.tag(), at)
              : RiscvIommuCommand.page(space.tag(), at));
    }
    commands.run(batch);
  }

  /// Drops what is known of one of a guest's interrupt files.
  void invalidateFile(RiscvIommuAddressSpace space, Iova file) {
    commands.run(List.of(RiscvIommuCommand.guestPage(space.tag(), file.value())));
  }

  /// {@return what was waiting in the fault queue}
  List<RiscvIommuFault> drainFaults() {
    return start.faults().drain();
  }

  /// Stops the IOMMU and gives its memory back. From then on every access of every device is aborted.
  ///
  /// @throws IllegalStateException when a device is still attached
  @Override
  public void close() {
    attachments.end(
        id(),
        () -> {
          RiscvIommuStart.quiesce(port);
          contexts.free();
          devices.free();
          commands.free();
          start.faults().free();
        });
  }

  private RiscvIommuAddressSpace usable(AddressSpace space) {
    if (!(space instanceof RiscvIommuAddressSpace own)) {
      throw new IllegalArgumentException(
          "%s cannot use %s: it is not a RISC-V IOMMU's".formatted(id(), space));
    }
    String why = "";
    if (own.tags() != settings.tags()) {
      why = "its number is not of this machine's set";
    } else if (!RiscvIommuStart.offers(capabilities, own.mode(), own.isSecond())) {
      why = "its mode is not implemented";
    } else if (own.files().isPresent() && !MSI_FLAT.isSet(capabilities)) {
      why = "MSI page tables (MSI_FLAT) are not implemented";
    } else if (own.files().filter(MsiTable::canBeResident).isPresent()
        && !MSI_MRIF.isSet(capabilities)) {
      why = "interrupt files in memory (MSI_MRIF) are not implemented";
    } else if (own.outputBits() > outputBits()) {
      why = "its %d-bit output is wider than %d bits".formatted(own.outputBits(), outputBits());
    }
    if (!why.isEmpty()) {
      throw new IllegalArgumentException("%s cannot use %s: %s".formatted(id(), own, why));
    }
    return own;
  }

  private void checkProcess(int deviceId, int processId) {
    checkDevice(deviceId);
    int bits = substreamIdBits();
    if (processId < 1 || !SvPteLayout.fits(processId, bits)) {
      throw new IllegalArgumentException(
          "process_id 0x%x is not from 1 on and within the %d bits of %s"
              .formatted(processId, bits, id()));
    }
  }

  private void checkDevice(int deviceId) {
    if (!SvPteLayout.fits(Integer.toUnsignedLong(deviceId), devices.deviceIdBits())) {
      throw new IllegalArgumentException(
          "device 0x%x is wider than the %d bits of %s"
              .formatted(deviceId, devices.deviceIdBits(), id()));
    }
  }
}
