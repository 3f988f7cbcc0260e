package dev.doorbell.machine;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.CpuInterface;
import dev.doorbell.bus.CpuRegisters;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.Hypervisor;
import dev.doorbell.bus.InterruptFiles;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.Firing;
import dev.doorbell.pci.Sbdf;
import java.util.Optional;

/// Seam B: the hardware as drivers see it, ours or QEMU's. Safe for use from many threads.
public interface Machine extends AutoCloseable {
  /// {@return what this machine has}
  MachineDescription description();

  PhysicalMemory memory();

  /// {@return memory for drivers' tables}
  Frames frames();

  /// {@return a window onto registers (an IOMMU's, an MSI controller's, a BAR's) by physical address}
  RegisterBus registers(AddressRange window);

  /// {@return the registers of an IOMMU, wherever they are; empty when they cannot be reached}
  default Optional<RegisterBus> registersOf(IommuDescription iommu) {
    return iommu.registers().map(this::registers);
  }

  /// {@return a function's live config space}
  ConfigSpace config(Sbdf function);

  /// {@return a window onto a BAR of a function, wherever it was placed}
  ///
  /// @throws UnusableDescription when a capture tells no such memory BAR, or one that nothing leads to
  /// @throws IllegalArgumentException when a function that is there has no such memory BAR
  RegisterBus bar(Sbdf function, int index);

  /// {@return the CPUs' side of the interrupt controller, if this machine lets one reach it}
  Optional<CpuInterface> cpuInterface();

  /// {@return registers that only a CPU itself reaches, if this machine has such and lets one reach them (x86)}
  default Optional<CpuRegisters> cpuRegisters() {
    return Optional.empty();
  }

  /// {@return the harts' side of their interrupt files, if this machine has such and lets one reach it (RISC-V)}
  default Optional<InterruptFiles> interruptFiles() {
    return Optional.empty();
  }

  /// {@return the harts' side of their interrupt files of machine level, which are firmware's own: drivers take none of them (RISC-V)}
  default Optional<InterruptFiles> firmwareFiles() {
    return Optional.empty();
  }

  /// {@return the hypervisor that the machine is a guest of, if its calls can be made (PAPR)}
  default Optional<Hypervisor> hypervisor() {
    return Optional.empty();
  }

  /// Makes a function raise one of its vectors, as its own work would.
  ///
  /// {@return what became of it, as far as the device knows}
  ///
  /// @throws IllegalArgumentException when the machine has no such endpoint
  /// @throws IndexOutOfBoundsException when the function has no such vector
  Firing fire(Sbdf function, int vector);

  /// {@return bytes of memory, which the function must reach by DMA, that {@link #fire} needs for so many vectors: 0 for functions that
  /// interrupt without}
  default long workBytes(Sbdf function, int vectors) {
    return 0;
  }

  /// Gives a function that memory, once its vectors are on and the memory is mapped for it.
  ///
  /// @param iova where the function finds it, page aligned
  /// @param memory where it is
  default void giveWork(Sbdf function, Iova iova, Pa memory, int vectors) {}

  @Override
  void close();
}
