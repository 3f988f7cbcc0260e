package dev.doorbell.host;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bus.BusErrorException;
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

/// A machine on whose bus one write fails: the n-th one of its drivers from a moment on, to registers, BARs or configuration space. Memory does not
/// fail: a machine whose memory loses writes has other troubles.
final class FaultyMachine implements Machine {
  private final Machine machine;
  private long count;
  private long failAt = -1;

  FaultyMachine(Machine machine) {
    this.machine = machine;
  }

  /// Makes the n-th write from now fail, once.
  void failAt(long nth) {
    failAt = count + nth;
  }

  void neverFail() {
    failAt = -1;
  }

  /// {@return writes until now}
  long writes() {
    return count;
  }

  private void write(String what, long address, int bytes) {
    count++;
    if (count == failAt) {
      failAt = -1;
      throw new BusErrorException(what, address, bytes);
    }
  }

  private RegisterBus failing(String what, RegisterBus bus) {
    return new RegisterBus() {
      @Override
      public long read(long offset, int bytes) {
        return bus.read(offset, bytes);
      }

      @Override
      public void write(long offset, long value, int bytes) {
        FaultyMachine.this.write("write to " + what, offset, bytes);
        bus.write(offset, value, bytes);
      }
    };
  }

  @Override
  public MachineDescription description() {
    return machine.description();
  }

  @Override
  public PhysicalMemory memory() {
    return machine.memory();
  }

  @Override
  public Frames frames() {
    return machine.frames();
  }

  @Override
  public RegisterBus registers(AddressRange window) {
    return failing("registers " + window, machine.registers(window));
  }

  @Override
  public ConfigSpace config(Sbdf function) {
    ConfigSpace config = machine.config(function);
    return new ConfigSpace() {
      @Override
      public int size() {
        return config.size();
      }

      @Override
      public int read(int offset, int bytes) {
        return config.read(offset, bytes);
      }

      @Override
      public void write(int offset, int value, int bytes) {
        FaultyMachine.this.write("configuration write of " + function, offset, bytes);
        config.write(offset, value, bytes);
      }
    };
  }

  @Override
  public RegisterBus bar(Sbdf function, int index) {
    return failing("BAR %d of %s".formatted(index, function), machine.bar(function, index));
  }

  @Override
  public Optional<CpuInterface> cpuInterface() {
    return machine.cpuInterface();
  }

  @Override
  public Firing fire(Sbdf function, int vector) {
    return machine.fire(function, vector);
  }

  @Override
  public void close() {
    machine.close();
  }
}
