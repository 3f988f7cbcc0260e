package dev.doorbell.hw.pcie;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.DmaPort;
import dev.doorbell.bus.MmioDevice;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.pci.BridgeRegisters;
import dev.doorbell.pci.ConfigAccess;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.PortType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// A root complex whose way up writes down what arrives, with memory of bytes behind it.
final class Hierarchy implements DmaPort {
  /// What arrived at the IOMMU.
  record Arrived(int requesterId, long address, long value) {}

  static final long WINDOW = 0x4000_0000L;
  static final long WINDOW_BYTES = 0x1000_0000L;

  final List<Arrived> arrived = new ArrayList<>();
  final Map<Long, Byte> memory = new TreeMap<>();
  BusOutcome answer = BusOutcome.OK;
  final RootComplexModel complex;
  final MmioDevice ecam;
  final RegisterBus window;

  Hierarchy() {
    this(false);
  }

  Hierarchy(boolean peerToPeer) {
    this(0, 0, peerToPeer);
  }

  Hierarchy(int segment, int rootBus) {
    this(segment, rootBus, false);
  }

  private Hierarchy(int segment, int rootBus, boolean peerToPeer) {
    complex = new RootComplexModel(segment, rootBus, 255, this, peerToPeer);
    ecam = complex.ecam();
    window = bus(complex.window(WINDOW));
  }

  /// {@return a port on a bus, its numbers and window programmed}
  static BridgeModel port(
      BusModel on,
      int position,
      Optional<PortType> type,
      boolean acs,
      BridgeRegisters numbers,
      AddressRange memory) {
    BridgeModel b = BridgeModel.create(type, 0x1b36, 0x000c, acs);
    on.add(position, b);
    b.setBusNumbers(numbers);
    b.openWindow(memory);
    return b;
  }

  static AddressRange mebibytes(long start, int count) {
    return AddressRange.ofSize(start, (long) count << 20);
  }

  /// {@return the demo endpoint on a bus, its BARs at 0 and 64 KiB past an address, memory and bus mastering on}
  static EndpointModel demo(BusModel on, int position, long at, int vectors) {
    EndpointModel e = EndpointModel.create(EndpointSpec.demo(vectors), new DemoRegisters(vectors));
    on.add(position, e);
    place(e, at);
    return e;
  }

  static void place(EndpointModel e, long at) {
    e.placeBar(0, at);
    e.placeBar(2, at + 0x10000);
    ConfigAccess header = ConfigAccess.header(e.config());
    header.set(ConfigHeaderLayout.COMMAND, ConfigHeaderLayout.MEMORY_SPACE_ENABLE, 1);
    header.set(ConfigHeaderLayout.COMMAND, ConfigHeaderLayout.BUS_MASTER_ENABLE, 1);
  }

  /// {@return a window onto a part of what CPUs see}
  RegisterBus at(long pciAddress) {
    long base = pciAddress - WINDOW;
    return new RegisterBus() {
      @Override
      public long read(long offset, int bytes) {
        return window.read(base + offset, bytes);
      }

      @Override
      public void write(long offset, long value, int bytes) {
        window.write(base + offset, value, bytes);
      }
    };
  }

  static RegisterBus bus(MmioDevice device) {
    return new RegisterBus() {
      @Override
      public long read(long offset, int bytes) {
        BusRead r = device.read(offset, bytes);
        if (r.outcome() != BusOutcome.OK) {
          throw new BusErrorException("read", offset, bytes);
        }
        return r.value();
      }

      @Override
      public void write(long offset, long value, int bytes) {
        if (device.write(offset, value, bytes, SystemBus.CPU) != BusOutcome.OK) {
          throw new BusErrorException("write", offset, bytes);
        }
      }
    };
  }

  synchronized int arrivals() {
    return arrived.size();
  }

  @Override
  public synchronized BusOutcome write(int requesterId, long address, long value, int bytes) {
    arrived.add(new Arrived(requesterId, address, value));
    for (int i = 0; i < bytes; i++) {
      memory.put(address + i, (byte) (value >>> 8 * i));
    }
    return answer;
  }

  @Override
  public synchronized BusRead read(int requesterId, long address, int bytes) {
    long value = 0;
    for (int i = 0; i < bytes; i++) {
      value |= (memory.getOrDefault(address + i, (byte) 0) & 0xffL) << 8 * i;
    }
    return BusRead.ok(value);
  }
}
