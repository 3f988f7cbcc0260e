package dev.doorbell.qemu;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bus.CpuInterface;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.machine.Machine;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.Firing;
import dev.doorbell.pci.Sbdf;
import java.util.Optional;

/// A machine whose description or registers somebody comes between.
class Around implements Machine {
  private final Machine inner;
  private final MachineDescription description;

  Around(Machine inner, MachineDescription description) {
    this.inner = inner;
    this.description = description;
  }

  @Override
  public MachineDescription description() {
    return description;
  }

  @Override
  public PhysicalMemory memory() {
    return inner.memory();
  }

  @Override
  public Frames frames() {
    return inner.frames();
  }

  @Override
  public RegisterBus registers(AddressRange window) {
    return inner.registers(window);
  }

  @Override
  public ConfigSpace config(Sbdf function) {
    return inner.config(function);
  }

  @Override
  public RegisterBus bar(Sbdf function, int index) {
    return inner.bar(function, index);
  }

  @Override
  public Optional<CpuInterface> cpuInterface() {
    return inner.cpuInterface();
  }

  @Override
  public Firing fire(Sbdf function, int vector) {
    return inner.fire(function, vector);
  }

  @Override
  public void close() {
    inner.close();
  }
}
