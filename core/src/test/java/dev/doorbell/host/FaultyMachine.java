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

/// A machine on whose bus one write fails: the n-th one of its drivers from a moment on, to registers, BARs or configuration space; or to memory,
/// when told so.
final class FaultyMachine implements Machine {
  private final Machine machine;
  private long count;
  private long failAt = -1;
  private boolean inMemory;

  FaultyMachine(Machine machine) {
    this.machine = machine;
  }

  /// Makes the n-th write to memory from now fail, once.
  void failInMemoryAt(long nth) {
    inMemory = true;
    failAt = count + nth;
  }

  /// Makes the n-th write from now fail, once.
  void failAt(long nth) {
    inMemory = false;
    failAt = count + nth;
  }

  void neverFail() {
    failAt = -1;
  }

  /// {@return writes until now}
  long writes() {
    return count;
  }

  private void write(String what, long address, int bytes, boolean memory) {
    if (memory != inMemory) {
      return;
    }
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
        FaultyMachine.this.write("write to " + what, offset, bytes, false);
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
    PhysicalMemory memory = machine.memory();
    return new PhysicalMemory() {
      @Override
      public long read(long pa, int bytes) {
        return memory.read(pa, bytes);
      }

      @Override
      public void write(long pa, long value, int bytes) {
        FaultyMachine.this.write("write to memory", pa, bytes, true);
        memory.write(pa, value, bytes);
      }

      @Override
      public void read(long pa, byte[] into) {
        memory.read(pa, into);
      }

      @Override
      public void write(long pa, byte[] from) {
        FaultyMachine.this.write("write to memory", pa, from.length, true);
        memory.write(pa, from);
      }

      @Override
      public void fill(long pa, long bytes, byte value) {
        FaultyMachine.this.write("fill of memory", pa, (int) bytes, true);
        memory.fill(pa, bytes, value);
      }

      @Override
      public void publish() {
        memory.publish();
      }
    };
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
        FaultyMachine.this.write("configuration write of " + function, offset, bytes, false);
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
