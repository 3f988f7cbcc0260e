package dev.doorbell.host;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.description.GicDescription;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.explain.Basis;
import dev.doorbell.explain.MemoryView;
import dev.doorbell.explain.Source;
import dev.doorbell.hw.gicits.GitsRegisters;
import dev.doorbell.hw.gicv2m.GicV2mRegisters;
import dev.doorbell.hw.gicv3.GicrRegisters;
import dev.doorbell.hw.smmuv3.SmmuRegisters;
import dev.doorbell.irq.LiveVector;
import dev.doorbell.irq.MsiFunction;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.route.MachineState;
import dev.doorbell.route.ProgrammedVector;
import dev.doorbell.route.VectorState;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/// A live machine's registers and tables, read as a recorded one's would be: what walkers see of
/// functions whose vectors Doorbell programmed.
public final class LiveState implements MachineState {
  private final Host host;
  private final List<HostFunction> functions;

  public LiveState(Host host, List<HostFunction> functions) {
    this.host = host;
    this.functions = List.copyOf(functions);
  }

  @Override
  public List<Block> blocks(String kind) {
    List<Block> out = new ArrayList<>();
    switch (kind) {
      case "smmuv3" -> {
        for (IommuDescription i : host.machine().description().iommus()) {
          if (i instanceof IommuDescription.Smmuv3 s) {
            out.add(block(s.window(), SmmuRegisters.MAP, "SMMU_"));
          }
        }
      }
      case "its" -> {
        for (MsiControllerDescription c : host.machine().description().msiControllers()) {
          if (c instanceof MsiControllerDescription.Its its) {
            out.add(block(its.window(), GitsRegisters.MAP, "GITS_"));
          }
        }
      }
      case "v2m" -> {
        for (MsiControllerDescription c : host.machine().description().msiControllers()) {
          if (c instanceof MsiControllerDescription.GicV2m v) {
            out.add(block(v.window(), GicV2mRegisters.MAP, ""));
          }
        }
      }
      case "gicr" -> host.machine().description().gic().ifPresent(g -> redistributors(g, out));
      default -> {
        // No other kind of block is walked.
      }
    }
    return out;
  }

  private void redistributors(GicDescription gic, List<Block> out) {
    for (AddressRange region : gic.redistributors()) {
      for (long at = 0;
          at + GicrRegisters.BYTES <= region.bytes() && out.size() < Math.max(1, gic.cpus().size());
          at += GicrRegisters.BYTES) {
        out.add(
            block(
                AddressRange.ofSize(region.start() + at, GicrRegisters.BYTES),
                GicrRegisters.MAP,
                "GICR_"));
      }
    }
  }

  @Override
  public MemoryView memory() {
    return pa -> {
      try {
        return OptionalLong.of(host.machine().memory().read64(pa));
      } catch (BusErrorException e) {
        return OptionalLong.empty();
      }
    };
  }

  @Override
  public VectorState vector(Sbdf function, int vector) {
    Source source = Source.rule("programmed by Doorbell");
    for (HostFunction f : functions) {
      if (!f.sbdf().equals(function)) {
        continue;
      }
      for (LiveVector v : f.vectors().map(MsiFunction::vectors).orElse(List.of())) {
        if (v.index() == vector) {
          return new ProgrammedVector(
              v.message().address(),
              v.message().data(),
              v.masked(),
              f.msix().isPresent() ? "MSI-X" : "MSI",
              source);
        }
      }
    }
    return new VectorState.Unseen("Doorbell did not program this vector", source);
  }

  @Override
  public String itsFormat() {
    return "qemu";
  }

  @Override
  public Basis basis() {
    return Basis.DERIVED;
  }

  private Block block(AddressRange window, RegisterMap map, String prefix) {
    RegisterBus bus = host.machine().registers(window);
    Map<String, Long> registers = new HashMap<>();
    for (Register r : map.registers()) {
      for (int i = 0; i < r.count(); i++) {
        String name = r.name().startsWith(prefix) ? r.name().substring(prefix.length()) : r.name();
        read(bus, r, i).ifPresent(v -> registers.put(name, v));
        if (r.count() > 1) {
          final int index = i;
          read(bus, r, i).ifPresent(v -> registers.put(name + index, v));
        }
      }
    }
    return new Block(window.start(), registers);
  }

  private static Optional<Long> read(RegisterBus bus, Register r, int index) {
    try {
      return Optional.of(bus.read(r.offset(index), r.bytes()));
    } catch (BusErrorException e) {
      return Optional.empty();
    }
  }
}
