package dev.doorbell.examples;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Iova;
import dev.doorbell.iommu.Protection;
import dev.doorbell.pci.ConfigAccess;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.Container;
import dev.doorbell.vfio.ContainerOptions;
import dev.doorbell.vfio.Device;
import dev.doorbell.vfio.DmaBuffer;
import dev.doorbell.vfio.Group;
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

/// A user-space driver of a device that interrupts and copies memory. It knows {@link Vfio} and, by a {@link DeviceProgram}, the device's
/// registers, and nothing of the machine: no physical address, no doorbell, no MSI message.
public final class DemoDriver {
  private static final int BYTES = 4096;

  /// Looks for an interrupt, each of 10 ms, before the device counts as silent.
  private static final int LOOKS = 500;

  private final Vfio vfio;
  private final DeviceProgram.Factory program;

  /// @param program how the device is programmed, such as `DemoProgram::new`
  public DemoDriver(Vfio vfio, DeviceProgram.Factory program) {
    this.vfio = vfio;
    this.program = program;
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
        try (Mapped mapped = Mapped.of(container, iova, memory);
            Device device = group.open(function)) {
          int vectors = drive(device, mapped.start(), memory);
          return new Outcome(need, container.msiWindow(), vectors, BYTES);
        }
      }
    }
  }

  /// Memory that the device reaches until this is closed.
  private record Mapped(Container container, AddressRange iovas) implements AutoCloseable {
    static Mapped of(Container container, Iova at, DmaBuffer memory) {
      container.map(at, memory, Protection.READ_WRITE);
      return new Mapped(container, AddressRange.ofSize(at.value(), memory.bytes()));
    }

    Iova start() {
      return new Iova(iovas.start());
    }

    @Override
    public void close() {
      container.unmap(iovas);
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
    DeviceProgram registers = program.on(device.region(RegionType.BAR0));
    List<Semaphore> arrivals =
        Stream.generate(() -> new Semaphore(0)).limit(registers.vectors()).toList();
    List<Trigger> triggers = arrivals.stream().map(a -> (Trigger) a::release).toList();
    int enabled = device.enable(registers.irqs(), 1, triggers);
    for (int vector = 0; vector < enabled; vector++) {
      registers.ring(vector);
      await(arrivals.get(vector), "vector " + vector);
      registers.acknowledge();
    }

    byte[] pattern = new byte[BYTES];
    for (int i = 0; i < BYTES; i++) {
      pattern[i] = (byte) (i * 31);
    }
    memory.write(0, pattern);
    memory.publish();
    int last = enabled - 1;
    for (Runnable step : registers.copy(iova, iova.plus(BYTES), BYTES, last)) {
      step.run();
      await(arrivals.get(last), "the end of a step of the copy");
      registers.acknowledge();
    }
    byte[] copy = new byte[BYTES];
    memory.read(BYTES, copy);
    check(Arrays.equals(pattern, copy), "has copied something else");
    check(arrivals.stream().allMatch(a -> a.availablePermits() == 0), "has interrupted too often");
    return enabled;
  }

  private void await(Semaphore arrival, String what) throws InterruptedException {
    boolean arrived = false;
    for (int i = 0; i < LOOKS && !arrived; i++) {
      vfio.deliver();
      arrived = arrival.tryAcquire(10, TimeUnit.MILLISECONDS);
    }
    check(arrived, "has not signalled " + what);
  }

  private static void check(boolean right, String otherwise) {
    if (!right) {
      throw new IllegalStateException("the device " + otherwise);
    }
  }
}
