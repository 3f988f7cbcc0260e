package dev.doorbell.hw.amdvi;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.bus.BusException;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Iommu;
import dev.doorbell.iommu.IommuCapabilities;
import dev.doorbell.irq.InterruptRemapper;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.RemapEntries;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// Drives one AMD IOMMU: translation by host page tables, and interrupt remapping by a table for each device. Safe for use from many threads.
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
  private final EventReader events;
  private final InterruptTables interrupts;
  private final ReentrantLock lock = new ReentrantLock();
  private final Map<Integer, AmdViAddressSpace> attached = new HashMap<>();

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
    this.events = start.events();
    this.interrupts = new InterruptTables(port.id(), memory, frames, start, lock);
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
        IoPageTable.INPUT_BITS,
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
    lock.lock();
    try {
      if (attached.get(streamId) == wanted) {
        return;
      }
      wanted.enter(this);
      try {
        replace(streamId, DeviceTable.Dma.of(wanted));
      } catch (RuntimeException failed) {
        withdraw(wanted, failed);
        throw failed;
      }
      AmdViAddressSpace old = attached.put(streamId, wanted);
      try {
        forget(old);
      } catch (AmdViException | BusException failed) {
        comeBack(streamId, old, failed);
        withdraw(wanted, failed);
        throw failed;
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void block(int streamId) {
    untranslated(streamId, DeviceTable.Dma.BLOCKING);
  }

  @Override
  public void bypass(int streamId) {
    untranslated(streamId, DeviceTable.Dma.BYPASSING);
  }

  /// {@return what was in the event log}
  public AmdViEvents drainEvents() {
    return events.drain();
  }

  @Override
  public boolean isolated() {
    return settings.remapping();
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
    if (!settings.remapping()) {
      throw new IllegalStateException(id() + " does not remap interrupts");
    }
    return interrupts.allocate(source, count, contiguous);
  }

  /// Stops the IOMMU and gives its memory back. From then on every access and every interrupt passes as it is.
  ///
  /// @throws IllegalStateException when a device is still attached or has interrupts
  @Override
  public void close() {
    lock.lock();
    try {
      if (!attached.isEmpty() || !interrupts.isEmpty()) {
        throw new IllegalStateException(
            "%s still has the devices %s attached, and interrupts of %s; give them up first"
                .formatted(id(), attached.keySet(), interrupts.devices()));
      }
      AmdViStart.disable(port);
      devices.free();
      commands.free();
      events.free();
    } finally {
      lock.unlock();
    }
  }

  /// Drops the translations of a range of a domain.
  void invalidate(int domain, AddressRange range) {
    commands.run(List.of(AmdViCommand.pages(domain, range)));
  }

  private void untranslated(int device, DeviceTable.Dma dma) {
    checkDevice(device);
    lock.lock();
    try {
      replace(device, dma);
      AmdViAddressSpace old = attached.remove(device);
      try {
        forget(old);
      } catch (AmdViException | BusException failed) {
        comeBack(device, old, failed);
        throw failed;
      }
    } finally {
      lock.unlock();
    }
  }

  /// Changes a device's entry, or leaves it as it was when the hardware refuses the invalidation.
  private void replace(int device, DeviceTable.Dma dma) {
    DeviceTable.Dma before = devices.dma(device);
    try {
      devices.write(device, dma, () -> forgetEntry(device));
    } catch (AmdViException | BusException failed) {
      try {
        devices.write(device, before, () -> forgetAfter(device, failed));
      } catch (BusException again) {
        failed.addSuppressed(again);
      }
      throw failed;
    }
  }

  private void forgetEntry(int device) {
    commands.run(List.of(AmdViCommand.device(device)));
  }

  /// Drops what the IOMMU may have fetched of an entry that was taken back, as far as it still listens.
  private void forgetAfter(int device, RuntimeException because) {
    try {
      forgetEntry(device);
    } catch (AmdViException | BusException again) {
      because.addSuppressed(again);
    }
  }

  private void forget(@Nullable AmdViAddressSpace old) {
    if (old != null) {
      leave(old);
    }
  }

  /// The last device that leaves takes the translations along: later changes of the tables will not be told to this IOMMU.
  private void leave(AmdViAddressSpace space) {
    if (!attached.containsValue(space)) {
      commands.run(List.of(AmdViCommand.all(space.domain())));
    }
    space.leave(this);
  }

  /// Takes back that a device left tables which this IOMMU could not be made to forget.
  private void comeBack(int device, @Nullable AmdViAddressSpace old, RuntimeException because) {
    if (old == null) {
      return;
    }
    attached.put(device, old);
    try {
      replace(device, DeviceTable.Dma.of(old));
    } catch (AmdViException | BusException again) {
      because.addSuppressed(again);
    }
  }

  /// Takes back that a device came in, after its entry was restored.
  private void withdraw(AmdViAddressSpace space, RuntimeException because) {
    try {
      leave(space);
    } catch (AmdViException | BusException again) {
      because.addSuppressed(again);
      space.leave(this);
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
    return own;
  }

  private void checkDevice(int device) {
    if (device < 0 || device >= DeviceTable.DEVICES) {
      throw new IllegalArgumentException(
          "device id 0x%x is wider than the %d bits of %s".formatted(device, DEVICE_ID_BITS, id()));
    }
  }
}
