package dev.doorbell.examples;

import dev.doorbell.iommu.Protection;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.Container;
import dev.doorbell.vfio.ContainerOptions;
import dev.doorbell.vfio.Device;
import dev.doorbell.vfio.DmaBuffer;
import dev.doorbell.vfio.DmaMapping;
import dev.doorbell.vfio.EventCounter;
import dev.doorbell.vfio.RegionType;
import dev.doorbell.vfio.Vfio;
import java.io.PrintStream;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/// A user-space driver of a device that interrupts and copies memory. It knows {@link Vfio} and, by a {@link DeviceProgram}, the device's
/// registers, and nothing of the machine: no physical address, no doorbell, no MSI message.
///
/// @param program how the device is programmed, such as `DemoProgram::new`
/// @param out where it says what it does
public record DemoDriver(Vfio vfio, DeviceProgram.Factory program, PrintStream out) {
  private static final int BYTES = 4096;

  /// Has the device raise every vector, and copy memory by DMA.
  ///
  /// {@return how many vectors it had; each arrived once}
  ///
  /// @throws dev.doorbell.vfio.VfioException and the other kinds of {@link dev.doorbell.explain.Refused}, each with the state as before
  /// @throws IllegalStateException when the device did not do what it was told
  public int run(Sbdf function) throws InterruptedException {
    try (Container container = vfio.open(ContainerOptions.USUAL)) {
      container.attach(vfio.group(function));
      out.println("needed for messages: " + container.msiWindowNeed());
      out.println("kept free for them: " + container.msiWindow());
      try (DmaBuffer memory = container.allocate(2 * BYTES);
          DmaMapping mapping = container.map(memory, Protection.READ_WRITE);
          Device device = vfio.group(function).open(function)) {
        out.println("memory of the device: " + mapping.iovas());
        return drive(device, memory, mapping);
      }
    }
  }

  private int drive(Device device, DmaBuffer memory, DmaMapping mapping)
      throws InterruptedException {
    device.busMaster(true);
    DeviceProgram registers = program.on(device.region(RegionType.BAR0));
    List<EventCounter> arrivals =
        Stream.generate(EventCounter::new).limit(registers.vectors()).toList();
    int enabled = device.enable(registers.irqs(), 1, arrivals);
    for (int vector = 0; vector < enabled; vector++) {
      registers.ring(vector);
      await(arrivals.get(vector), registers, "vector " + vector);
    }

    byte[] pattern = new byte[BYTES];
    for (int i = 0; i < BYTES; i++) {
      pattern[i] = (byte) (i * 31 + 1);
    }
    memory.write(0, pattern);
    memory.publish();
    for (Runnable step : registers.copy(mapping.at(0), mapping.at(BYTES), BYTES, enabled - 1)) {
      step.run();
      await(arrivals.get(enabled - 1), registers, "the end of a step of the copy");
    }
    byte[] copy = new byte[BYTES];
    memory.read(BYTES, copy);
    check(Arrays.equals(pattern, copy), "has copied something else");
    check(arrivals.stream().allMatch(a -> a.count() == 0), "has interrupted without a reason");
    out.println(enabled + " vectors arrived, " + BYTES + " bytes copied");
    return enabled;
  }

  private void await(EventCounter arrival, DeviceProgram registers, String what)
      throws InterruptedException {
    long signals = arrival.await(vfio, Duration.ofSeconds(5));
    check(signals == 1, "has signalled %s %d times".formatted(what, signals));
    registers.acknowledge();
  }

  private static void check(boolean right, String otherwise) {
    if (!right) {
      throw new IllegalStateException("the device " + otherwise);
    }
  }
}
