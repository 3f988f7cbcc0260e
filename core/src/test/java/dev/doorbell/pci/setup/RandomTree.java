package dev.doorbell.pci.setup;

import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.DmaPort;
import dev.doorbell.bus.MmioDevice;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.hw.pcie.BridgeModel;
import dev.doorbell.hw.pcie.BusModel;
import dev.doorbell.hw.pcie.EndpointModel;
import dev.doorbell.hw.pcie.EndpointRegisters;
import dev.doorbell.hw.pcie.EndpointSpec;
import dev.doorbell.hw.pcie.FunctionModel;
import dev.doorbell.hw.pcie.RootComplexModel;
import dev.doorbell.pci.BridgeHeaderLayout;
import dev.doorbell.pci.ConfigImage;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.Ecam;
import dev.doorbell.pci.PortType;
import dev.doorbell.testkit.SeededRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A random hierarchy of models, nothing numbered and nothing placed. Each endpoint's registers answer with its own number.
final class RandomTree implements DmaPort {
  private static final int DEPTH = 4;

  /// An endpoint, the bridges above it from the root down, and the number that its registers answer with.
  record Leaf(EndpointModel model, EndpointSpec spec, List<BridgeModel> above, long number) {}

  final RootComplexModel complex = new RootComplexModel(0, 0, 255, this, false);
  final List<Leaf> leaves = new ArrayList<>();
  final List<BridgeModel> bridges = new ArrayList<>();
  final List<FunctionModel> functions = new ArrayList<>();
  private final SeededRandom random;
  private final boolean huge;
  private int buses = 1;

  /// @param huge whether a few BARs are larger than all that lies below 4 GiB; bridges all have the window for them then
  RandomTree(SeededRandom random, boolean huge) {
    this.random = random;
    this.huge = huge;
    int devices = random.between(1, 6);
    for (int d = 0; d < devices; d++) {
      int position = 8 * (4 * d + random.below(4));
      if (random.oneIn(3)) {
        device(complex.root(), position, List.of());
      } else {
        bridge(complex.root(), position, Optional.of(PortType.ROOT_PORT), List.of());
      }
    }
  }

  Ecam ecam() {
    return new Ecam(bus(complex.ecam()), 0, 0, 255);
  }

  /// {@return what CPUs see at a PCI address}
  RegisterBus at(long pciAddress) {
    return bus(complex.window(pciAddress));
  }

  /// {@return every byte of every configuration space}
  List<byte[]> spaces() {
    return functions.stream().map(f -> bytes(f.config())).toList();
  }

  private static byte[] bytes(ConfigSpace c) {
    byte[] out = new byte[c.size()];
    for (int i = 0; i < out.length; i++) {
      out[i] = (byte) c.read8(i);
    }
    return out;
  }

  private void bridge(BusModel on, int position, Optional<PortType> type, List<BridgeModel> above) {
    BridgeModel b = BridgeModel.create(type, 0x1b36, 0x000c, random.nextBoolean());
    if (!huge && random.oneIn(4)) {
      b = withoutPrefetchable(b);
    }
    on.add(position, b);
    bridges.add(b);
    functions.add(b);
    buses++;
    List<BridgeModel> path = new ArrayList<>(above);
    path.add(b);
    below(b.below(), type, List.copyOf(path));
  }

  private void below(BusModel bus, Optional<PortType> type, List<BridgeModel> path) {
    boolean more = path.size() < DEPTH && buses < 100;
    boolean link =
        type.filter(t -> t == PortType.ROOT_PORT || t == PortType.DOWNSTREAM_PORT).isPresent();
    if (link) {
      switch (random.below(more ? 4 : 2)) {
        case 0 -> device(bus, 0, path);
        case 1 -> {
          // An empty slot.
        }
        case 2 -> bridge(bus, 0, Optional.of(PortType.UPSTREAM_PORT), path);
        default -> bridge(bus, 0, Optional.of(PortType.PCIE_TO_PCI_BRIDGE), path);
      }
      return;
    }
    boolean inSwitch = type.filter(t -> t == PortType.UPSTREAM_PORT).isPresent();
    int devices = random.between(1, 4);
    for (int d = 0; d < devices; d++) {
      int position = 8 * (8 * d + random.below(8));
      if (inSwitch) {
        bridge(bus, position, Optional.of(PortType.DOWNSTREAM_PORT), path);
      } else if (more && random.oneIn(4)) {
        bridge(bus, position, Optional.empty(), path);
      } else {
        device(bus, position, path);
      }
    }
  }

  private void device(BusModel bus, int position, List<BridgeModel> path) {
    int count = random.oneIn(3) ? random.between(2, 8) : 1;
    for (int f = 0; f < count; f++) {
      if (f > 0 && random.oneIn(3)) {
        continue;
      }
      long number = leaves.size() + 1L;
      EndpointSpec spec = spec(count > 1);
      EndpointModel e = EndpointModel.create(spec, new Numbered(number));
      bus.add(position + f, e);
      leaves.add(new Leaf(e, spec, path, number));
      functions.add(e);
    }
  }

  private EndpointSpec spec(boolean multiFunction) {
    EndpointSpec plain =
        new EndpointSpec(
            0x1af4,
            0x1234,
            0xff0000,
            false,
            multiFunction,
            false,
            bars(24),
            Optional.empty(),
            Optional.empty());
    return random.oneIn(5)
        ? plain.with(
            new EndpointSpec.Sriov(
                random.between(1, 40), random.between(1, 300), random.between(1, 3), bars(18)))
        : plain;
  }

  private List<EndpointSpec.Bar> bars(int mostBits) {
    List<EndpointSpec.Bar> out = new ArrayList<>();
    int i = 0;
    while (i < 6) {
      boolean wide = i < 5 && random.nextBoolean();
      if (!random.oneIn(3)) {
        boolean prefetchable = random.nextBoolean();
        int bits =
            huge && wide && prefetchable && random.oneIn(9) ? 33 : random.between(4, mostBits);
        out.add(new EndpointSpec.Bar(i, 1L << bits, wide, prefetchable));
      }
      i += wide ? 2 : 1;
    }
    return out;
  }

  /// The same bridge with a prefetchable window of 32-bit addresses.
  private static BridgeModel withoutPrefetchable(BridgeModel b) {
    byte[] image = bytes(b.config());
    image[(int) BridgeHeaderLayout.PREFETCHABLE_BASE.offset()] = 0;
    image[(int) BridgeHeaderLayout.PREFETCHABLE_LIMIT.offset()] = 0;
    return BridgeModel.ofImage(ConfigImage.of(image, "bridge"));
  }

  private static RegisterBus bus(MmioDevice device) {
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

  @Override
  public BusOutcome write(int requesterId, long address, long value, int bytes) {
    return BusOutcome.OK;
  }

  @Override
  public BusRead read(int requesterId, long address, int bytes) {
    return BusRead.error(bytes);
  }

  private record Numbered(long number) implements EndpointRegisters {
    @Override
    public long read(EndpointModel device, int bar, long offset, int bytes) {
      return number << 8 | bar;
    }

    @Override
    public void write(EndpointModel device, int bar, long offset, long value, int bytes) {}

    @Override
    public void reset() {}
  }
}
