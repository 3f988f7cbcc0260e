package dev.doorbell.hw.amdvi;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PageResponse;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.hw.amdvi.AmdViSettings.Use;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Iommu;
import dev.doorbell.iommu.IommuCapabilities;
import dev.doorbell.iommu.StreamAttachments;
import dev.doorbell.iommu.StreamAttachments.Orders;
import dev.doorbell.irq.InterruptPosting;
import dev.doorbell.irq.InterruptRemapper;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.RemapEntries;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Drives one AMD IOMMU: translation by host page tables, or by guest ones (version 2), and interrupt remapping by a table for each device. Safe for use from many threads.
///
/// Locks are taken in the order devices of a driver, address space, command buffer.
///
/// **Source** 48882 revision 3.09, 2.2 (data structures), 2.4 (commands).
public final class AmdViDriver implements Iommu, InterruptRemapper, AutoCloseable {
  private static final int DEVICE_ID_BITS = 16;

  private final AmdViPort port;
  private final PhysicalMemory memory;
  private final Frames frames;
  private final AmdViSettings settings;
  private final DeviceTable devices;
  private final CommandPoster commands;
  private final Logs logs;
  private final long features;
  private final InterruptTables interrupts;
  private final StreamAttachments<AmdViDriver, DeviceTable.Dma, AmdViAddressSpace> attachments =
      new StreamAttachments<>(this, new Entries());

  private AmdViDriver(
      AmdViPort port,
      PhysicalMemory memory,
      Frames frames,
      AmdViSettings settings,
      AmdViStart start) {
    this.port = port;
    this.memory = memory;
    this.frames = frames;
    this.settings = settings;
    this.devices = start.devices();
    this.commands = start.commands();
    this.logs = start.logs();
    this.features = port.read(AmdViRegisters.EXT_FEATURE_REG);
    this.interrupts = new InterruptTables(port.id(), memory, frames, start);
  }

  /// {@return a driver of an IOMMU that it has reset, with every device blocked}
  ///
  /// @param id of the machine description
  /// @param registers the window, 16 KiB
  /// @throws AmdViUnsupportedException when the hardware lacks what is needed
  /// @throws AmdViTimeoutException when the hardware does not follow
  /// @throws dev.doorbell.bus.OutOfFramesException when there is no memory for tables and buffers; nothing is kept then
  public static AmdViDriver open(
      String id,
      RegisterBus registers,
      PhysicalMemory memory,
      Frames frames,
      AmdViSettings settings) {
    AmdViPort port = new AmdViPort(id, registers, settings.polls());
    AmdViStart start = AmdViStart.run(port, memory, frames, settings);
    return new AmdViDriver(port, memory, frames, settings, start);
  }

  @Override
  public String id() {
    return port.id();
  }

  @Override
  public IommuCapabilities capabilities() {
    return new IommuCapabilities(
        "AMD-Vi",
        List.of(Granule.K4),
        settings.format().inputBits(),
        settings.outputBits(),
        DEVICE_ID_BITS,
        false,
        true);
  }

  @Override
  public AddressSpace createAddressSpace(Granule granule) {
    if (!granule.equals(Granule.K4)) {
      throw new IllegalArgumentException(
          "%s has the granule %s, not %s".formatted(id(), Granule.K4, granule));
    }
    return AmdViAddressSpace.create(settings, memory, frames);
  }

  @Override
  public void attach(int streamId, AddressSpace space) {
    AmdViAddressSpace wanted = usable(space);
    checkDevice(streamId);
    attachments.attach(streamId, wanted);
  }

  @Override
  public void block(int streamId) {
    checkDevice(streamId);
    attachments.detach(streamId, DeviceTable.Dma.BLOCKING);
  }

  @Override
  public void bypass(int streamId) {
    checkDevice(streamId);
    attachments.detach(streamId, DeviceTable.Dma.BYPASSING);
  }

  /// {@return what was in the event log}
  public AmdViEvents drainEvents() {
    return logs.events().drain();
  }

  /// {@return what devices asked for, each group of which is to be answered by {@link #respond}; nothing where they may not ask}
  public AmdViPageRequests drainPageRequests() {
    return logs.requests()
        .map(PageRequestReader::drain)
        .orElseGet(() -> new AmdViPageRequests(List.of(), false));
  }

  /// Answers a group of page requests, after the pages were mapped or were not.
  public void respond(PageResponse response) {
    checkDevice(response.requester());
    commands.run(List.of(AmdViCommand.complete(response)));
  }

  @Override
  public boolean isolated() {
    return settings.has(Use.REMAPPING);
  }

  @Override
  public Optional<InterruptPosting> posting() {
    return interrupts.guests().map(g -> g);
  }

  @Override
  public String postsNot() {
    return AmdViStart.postsNot(features).orElse("guest virtual APIC mode was not asked for");
  }

  @Override
  public long lastDestination() {
    return interrupts.lastDestination();
  }

  @Override
  public int free() {
    return InterruptTable.ENTRIES;
  }

  @Override
  public RemapEntries allocate(MsiSource source, int count, boolean contiguous) {
    checkDevice(source.deviceId());
    if (!settings.has(Use.REMAPPING)) {
      throw new IllegalStateException(id() + " does not remap interrupts");
    }
    return interrupts.allocate(source, count, contiguous);
  }

  /// Stops the IOMMU and gives its memory back. From then on every access and every interrupt passes as it is.
  ///
  /// @throws IllegalStateException when a device is still attached or has interrupts, or a guest's descriptor is not closed
  @Override
  public void close() {
    attachments.end(
        id(),
        () -> {
          Set<Integer> interrupting = interrupts.devices();
          if (!interrupting.isEmpty()) {
            throw new IllegalStateException(
                "%s still has interrupts of the devices %s; give them up first"
                    .formatted(id(), interrupting));
          }
          if (!interrupts.guests().map(GuestApics::isEmpty).orElse(true)) {
            throw new IllegalStateException(
                "%s still has virtual APICs of guests; close them first".formatted(id()));
          }
          AmdViStart.disable(port);
          devices.free();
          commands.free();
          logs.free();
        });
  }

  /// Drops the translations of a range of a domain.
  void invalidate(AmdViAddressSpace space, AddressRange range) {
    commands.run(List.of(AmdViCommand.pages(space.domain(), settings.format(), range)));
  }

  /// A device's entry is the half of its DTE that DMA uses.
  private final class Entries
      implements StreamAttachments.Hardware<DeviceTable.Dma, AmdViAddressSpace> {
    @Override
    public DeviceTable.Dma entry(int device) {
      return devices.dma(device);
    }

    @Override
    public DeviceTable.Dma leadingTo(AmdViAddressSpace space) {
      return DeviceTable.Dma.of(space, logs.requests().isPresent());
    }

    @Override
    public void write(int device, DeviceTable.Dma dma, Orders orders) {
      devices.write(
          device, dma, () -> orders.run(() -> commands.run(List.of(AmdViCommand.device(device)))));
    }

    @Override
    public void forget(AmdViAddressSpace space) {
      commands.run(List.of(AmdViCommand.all(space.domain(), settings.format())));
    }
  }

  private AmdViAddressSpace usable(AddressSpace space) {
    if (!(space instanceof AmdViAddressSpace own)) {
      throw new IllegalArgumentException(
          "%s cannot use %s: it is not an AMD IOMMU's".formatted(id(), space));
    }
    if (own.domains() != settings.domains()) {
      throw new IllegalArgumentException(
          "%s cannot use %s: its DomainID is not of this machine's set".formatted(id(), own));
    }
    if (own.guestRoot().isPresent() != settings.has(Use.GUEST_TABLES)) {
      throw new IllegalArgumentException(
          "%s cannot use %s: its tables are of the other version".formatted(id(), own));
    }
    return own;
  }

  private void checkDevice(int device) {
    if (device < 0 || device >= DeviceTable.DEVICES) {
      throw new IllegalArgumentException(
          "device id 0x%x is wider than the %d bits of %s".formatted(device, DEVICE_ID_BITS, id()));
    }
  }
}
