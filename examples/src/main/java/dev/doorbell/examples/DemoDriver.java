package dev.doorbell.examples;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Iova;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.hw.pcie.DemoLayout;
import dev.doorbell.iommu.Protection;
import dev.doorbell.pci.ConfigAccess;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.Container;
import dev.doorbell.vfio.ContainerOptions;
import dev.doorbell.vfio.Device;
import dev.doorbell.vfio.DmaBuffer;
import dev.doorbell.vfio.Group;
import dev.doorbell.vfio.IrqType;
import dev.doorbell.vfio.MsiWindowNeed;
import dev.doorbell.vfio.RegionType;
import dev.doorbell.vfio.Trigger;
import dev.doorbell.vfio.Vfio;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// A user-space driver of the endpoint `doorbell-demo`. It knows {@link Vfio} and the device's registers, and nothing of the machine:
/// no physical address, no doorbell, no MSI message.
public final class DemoDriver {
  private static final int BYTES = 4096;

  private final Vfio vfio;

  public DemoDriver(Vfio vfio) {
    this.vfio = vfio;
  }

  /// What was done, each part of it checked.
  ///
  /// @param need the MSI window that had to be there
  /// @param window the one that was, empty where messages are not translated
  /// @param vectors vectors that were rung; each arrived once
  /// @param copied bytes that the device copied
  public record Outcome(
      MsiWindowNeed need, Optional<AddressRange> window, int vectors, int copied) {}

  /// Lets the device interrupt and copy memory.
  ///
  /// @throws IllegalStateException when it did not do what it was told
  public Outcome run(Sbdf function) throws InterruptedException {
    try (Container container = vfio.open(ContainerOptions.USUAL)) {
      Group group = vfio.group(function);
      container.attach(group);
      MsiWindowNeed need = container.msiWindowNeed();
      try (DmaBuffer memory = container.allocate(2L * BYTES)) {
        Iova iova = place(container, memory.bytes());
        container.map(iova, memory, Protection.READ_WRITE);
        try (Device device = group.open(function)) {
          int vectors = drive(device, iova, memory);
          return new Outcome(need, container.msiWindow(), vectors, BYTES);
        } finally {
          container.unmap(AddressRange.ofSize(iova.value(), memory.bytes()));
        }
      }
    }
  }

  private static Iova place(Container container, long bytes) {
    return container.iovaRanges().stream()
        .filter(r -> Long.compareUnsigned(r.last() - r.start(), bytes - 1) >= 0)
        .map(r -> new Iova(r.start()))
        .findFirst()
        .orElseThrow(
            () -> new IllegalStateException("no IOVA range has %d bytes".formatted(bytes)));
  }

  private int drive(Device device, Iova iova, DmaBuffer memory) throws InterruptedException {
    // Without it neither DMA nor messages leave the function.
    ConfigAccess.header(device.config())
        .set(ConfigHeaderLayout.COMMAND, ConfigHeaderLayout.BUS_MASTER_ENABLE, 1);
    RegisterBus registers = device.region(RegionType.BAR0);
    check(registers.read(DemoLayout.ID.offset(), 4) == DemoLayout.SIGNATURE, "is no doorbell-demo");

    int count = (int) registers.read(DemoLayout.VECTORS.offset(), 4);
    List<Semaphore> arrivals = Stream.generate(() -> new Semaphore(0)).limit(count).toList();
    List<Trigger> triggers = arrivals.stream().map(a -> (Trigger) a::release).toList();
    int enabled = device.enable(IrqType.MSIX, 1, triggers);
    for (int vector = 0; vector < enabled; vector++) {
      registers.write(DemoLayout.RING.offset(), vector, 4);
      await(arrivals.get(vector), "vector " + vector);
    }

    byte[] pattern = new byte[BYTES];
    for (int i = 0; i < BYTES; i++) {
      pattern[i] = (byte) (i * 31);
    }
    memory.write(0, pattern);
    memory.publish();
    registers.write(DemoLayout.SOURCE.offset(), iova.value(), 8);
    registers.write(DemoLayout.DESTINATION.offset(), iova.plus(BYTES).value(), 8);
    registers.write(DemoLayout.LENGTH.offset(), BYTES, 4);
    long command =
        DemoLayout.START.place(1)
            | DemoLayout.THEN_RING.place(1)
            | DemoLayout.RING_VECTOR.place(enabled - 1L);
    registers.write(DemoLayout.COPY.offset(), command, 4);
    await(arrivals.get(enabled - 1), "the end of the copy");
    byte[] copy = new byte[BYTES];
    memory.read(BYTES, copy);
    check(Arrays.equals(pattern, copy), "has copied something else");
    check(arrivals.stream().allMatch(a -> a.availablePermits() == 0), "has interrupted too often");
    return enabled;
  }

  private void await(Semaphore arrival, String what) throws InterruptedException {
    vfio.deliver();
    check(arrival.tryAcquire(1, TimeUnit.SECONDS), "has not signalled " + what);
  }

  private static void check(boolean right, String otherwise) {
    if (!right) {
      throw new IllegalStateException("the device " + otherwise);
    }
  }
}
