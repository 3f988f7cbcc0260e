package dev.doorbell.host;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.InterruptFiles;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.description.GicDescription;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.explain.Basis;
import dev.doorbell.explain.MemoryView;
import dev.doorbell.explain.Source;
import dev.doorbell.hw.amdvi.AmdViRegisters;
import dev.doorbell.hw.gicits.GitsRegisters;
import dev.doorbell.hw.gicv2m.GicV2mRegisters;
import dev.doorbell.hw.gicv3.GicrRegisters;
import dev.doorbell.hw.hpet.HpetRegisters;
import dev.doorbell.hw.imsic.ImsicRegisters;
import dev.doorbell.hw.pamu.PamuRegisters;
import dev.doorbell.hw.papr.PaprMsiDriver;
import dev.doorbell.hw.phb.Phb3Driver;
import dev.doorbell.hw.phb.Phb3Registers;
import dev.doorbell.hw.phb.Phb4Registers;
import dev.doorbell.hw.phb.PhbDriver;
import dev.doorbell.hw.riscviommu.RiscvIommuRegisters;
import dev.doorbell.hw.smmuv2.BankRegisters;
import dev.doorbell.hw.smmuv2.Gr0Registers;
import dev.doorbell.hw.smmuv2.Gr1Registers;
import dev.doorbell.hw.smmuv3.SmmuRegisters;
import dev.doorbell.hw.vtd.VtdRegisters;
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
  private static final long SMALL_PAGE = 0x1000;
  private static final long LARGE_PAGE = 0x1_0000;

  private final Host host;
  private final List<HostFunction> functions;

  public LiveState(Host host, List<HostFunction> functions) {
    this.host = host;
    this.functions = List.copyOf(functions);
  }

  @Override
  public List<Block> blocks(String kind) {
    MachineDescription machine = host.machine().description();
    List<Block> out = new ArrayList<>();
    if (kind.equals("gicr")) {
      machine.gic().ifPresent(g -> redistributors(g, out));
    }
    if (kind.equals("ioapic")) {
      ioApics(machine, out);
    }
    if (kind.equals("aplic")) {
      host.openAplics()
          .forEach((number, driver) ->
              machine.imsic().stream()
                  .flatMap(i -> i.aplics().stream())
                  .filter(a -> a.number() == number)
                  .map(a -> new Block(a.registers().start(), driver.registers()))
                  .forEach(out::add));
    }
    if (kind.equals("hpet")) {
      machine.apic().stream()
          .flatMap(a -> a.hpets().stream())
          .flatMap(h -> h.registers().stream())
          .forEach(r -> out.add(hpet(r)));
    }
    machine.iommus().forEach(i -> block(kind, i).ifPresent(out::add));
    machine.msiControllers().forEach(c -> block(kind, c).ifPresent(out::add));
    if (kind.equals("papr")) {
      host.msiControllers().stream()
          .filter(c -> c instanceof PaprMsiDriver)
          .map(c -> (PaprMsiDriver) c)
          .forEach(c -> out.add(new Block(c.buid(), c.routes())));
    }
    if (kind.equals("xive")) {
      host.router().ifPresent(r -> out.add(new Block(r.base(), r.tables())));
    }
    return out;
  }

  /// Their redirection tables, of those that are driven.
  private void ioApics(MachineDescription machine, List<Block> out) {
    host.openIoApics()
        .forEach((id, driver) ->
            machine.apic().stream()
                .flatMap(a -> a.ioApics().stream())
                .filter(a -> a.apicId() == id)
                .flatMap(a -> a.registers().stream())
                .forEach(r -> out.add(new Block(r.start(), driver.entries()))));
  }

  /// General registers, and those of each timer by its number.
  private Block hpet(AddressRange window) {
    RegisterBus bus = host.machine().registers(window);
    Map<String, Long> out = registers(bus, HpetRegisters.MAP, "");
    Optional.ofNullable(out.get(HpetRegisters.CAP.name()))
        .ifPresent(cap -> {
          int last = Math.min(HpetRegisters.LAST_TIMER.getInt(cap), HpetRegisters.MOST_TIMERS - 1);
          for (Register r : HpetRegisters.TIMERS.registers()) {
            for (int timer = 0; timer <= last; timer++) {
              String name = r.name() + timer;
              read(bus, HpetRegisters.offset(r, timer), r.bytes()).ifPresent(v -> out.put(name, v));
            }
          }
        });
    return new Block(window.start(), out);
  }

  /// {@return the registers of an IOMMU, if it is of the kind}
  private Optional<Block> block(String kind, IommuDescription iommu) {
    return switch (iommu) {
      case IommuDescription.Smmuv3 s when kind.equals("smmuv3") ->
          Optional.of(block(s.window(), SmmuRegisters.MAP, "SMMU_"));
      case IommuDescription.Smmuv2 s when kind.equals("smmuv2") -> Optional.of(smmuv2(s.window()));
      case IommuDescription.VtD v when kind.equals("vtd") ->
          Optional.of(block(v.window(), VtdRegisters.MAP, ""));
      case IommuDescription.AmdVi a when kind.equals("amdvi") ->
          Optional.of(block(a.window(), AmdViRegisters.MAP, ""));
      case IommuDescription.Pamu p when kind.equals("pamu") -> {
        AddressRange first = AddressRange.ofSize(p.window().start(), PamuRegisters.BYTES);
        yield Optional.of(block(first, PamuRegisters.MAP, ""));
      }
      case IommuDescription.RiscvIommu r when kind.equals("riscv") ->
          host.machine().registersOf(r).map(bus -> riscv(r, bus));
      case IommuDescription.Phb p when kind.equals(p.kind().equals("PHB3") ? "phb3" : "phb4") ->
          phb(p);
      default -> Optional.empty();
    };
  }

  /// {@return the registers of an MSI controller, if it is of the kind}
  private Optional<Block> block(String kind, MsiControllerDescription controller) {
    return switch (controller) {
      case MsiControllerDescription.Its i when kind.equals("its") ->
          Optional.of(block(i.window(), GitsRegisters.MAP, "GITS_"));
      case MsiControllerDescription.GicV2m v when kind.equals("v2m") ->
          Optional.of(block(v.window(), GicV2mRegisters.MAP, ""));
      case MsiControllerDescription.Imsic i when kind.equals("imsic") ->
          (i.machineLevel() ? host.machine().firmwareFiles() : host.machine().interruptFiles())
              .map(f -> imsic(i, f));
      default -> Optional.empty();
    };
  }

  /// Both global spaces, and the banks that are on.
  private Block smmuv2(AddressRange window) {
    RegisterBus bus = host.machine().registers(window);
    Map<String, Long> registers =
        new HashMap<>(block(window, Gr0Registers.MAP, "SMMU_").registers());
    long idr1 = registers.getOrDefault("IDR1", 0L);
    long page = Gr0Registers.IDR1_PAGESIZE.isSet(idr1) ? LARGE_PAGE : SMALL_PAGE;
    long pages = 2L << Gr0Registers.IDR1_NUMPAGENDXB.getInt(idr1);
    int banks = Gr0Registers.IDR1_NUMCB.getInt(idr1);
    for (Register r : Gr1Registers.MAP.registers()) {
      for (int i = 0; i < banks; i++) {
        long at = page + r.offset(i);
        String name = r.name().substring("SMMU_".length()) + i;
        read(bus, at, r.bytes()).ifPresent(v -> registers.put(name, v));
      }
    }
    for (int i = 0; i < banks; i++) {
      long start = (pages + i) * page;
      long control = read(bus, start, Integer.BYTES).orElse(0L);
      for (Register r : BankRegisters.MAP.registers()) {
        if (control != 0 || r == BankRegisters.SCTLR) {
          String name = "CB%d_%s".formatted(i, r.name().substring("SMMU_CBn_".length()));
          read(bus, start + r.offset(), r.bytes()).ifPresent(v -> registers.put(name, v));
        }
      }
    }
    return new Block(window.start(), registers);
  }

  /// Registers, and what the bridge's own tables hold, which only its driver can look at without disturbing it.
  private Optional<Block> phb(IommuDescription.Phb phb) {
    return host.iommu(phb.id())
        .filter(i -> i instanceof PhbDriver)
        .map(i -> {
          long start = phb.registers().orElseThrow().start();
          AddressRange window = AddressRange.ofSize(start, Phb4Registers.BYTES);
          Map<String, Long> all =
              new HashMap<>(
                  block(
                          window,
                          i instanceof Phb3Driver ? Phb3Registers.MAP : Phb4Registers.MAP,
                          "PHB_")
                      .registers());
          all.putAll(((PhbDriver) i).own());
          return new Block(start, all);
        });
  }

  private static Block riscv(IommuDescription iommu, RegisterBus bus) {
    return new Block(
        iommu.registers().map(AddressRange::start).orElse(0L),
        registers(bus, RiscvIommuRegisters.MAP, ""));
  }

  /// What harts see of their files, by the names that the walker knows.
  private static Block imsic(MsiControllerDescription.Imsic imsic, InterruptFiles files) {
    Map<String, Long> out = new HashMap<>();
    for (int cpu = 0; cpu < imsic.files().size(); cpu++) {
      out.put("eidelivery" + cpu, files.read(cpu, ImsicRegisters.EIDELIVERY));
      out.put("eithreshold" + cpu, files.read(cpu, ImsicRegisters.EITHRESHOLD));
      for (int id = 0; id <= imsic.identities(); id += Long.SIZE) {
        out.put(
            "eie%d.%d".formatted(cpu, id / Long.SIZE),
            files.read(cpu, ImsicRegisters.select(ImsicRegisters.EIE0, id)));
      }
    }
    return new Block(imsic.doorbell().orElseThrow(), out);
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
    return new Block(window.start(), registers(host.machine().registers(window), map, prefix));
  }

  private static Map<String, Long> registers(RegisterBus bus, RegisterMap map, String prefix) {
    Map<String, Long> registers = new HashMap<>();
    for (Register r : map.registers()) {
      for (int i = 0; i < r.count(); i++) {
        String name = plain(r.name(), prefix);
        read(bus, r, i).ifPresent(v -> registers.put(name, v));
        if (r.count() > 1) {
          final int index = i;
          read(bus, r, i).ifPresent(v -> registers.put(name + index, v));
        }
      }
    }
    return registers;
  }

  private static String plain(String name, String prefix) {
    String rest = name.startsWith(prefix) ? name.substring(prefix.length()) : name;
    return rest.endsWith("_REG") ? rest.substring(0, rest.length() - "_REG".length()) : rest;
  }

  private static Optional<Long> read(RegisterBus bus, Register r, int index) {
    return read(bus, r.offset(index), r.bytes());
  }

  private static Optional<Long> read(RegisterBus bus, long offset, int bytes) {
    try {
      return Optional.of(bus.read(offset, bytes));
    } catch (BusErrorException e) {
      return Optional.empty();
    }
  }
}
