package dev.doorbell.machine;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bus.ApicPort;
import dev.doorbell.bus.CpuInterface;
import dev.doorbell.bus.CpuRegisters;
import dev.doorbell.bus.InterruptFiles;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.XicsPort;
import dev.doorbell.description.ApicDescription;
import dev.doorbell.description.Arch;
import dev.doorbell.description.GicDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.description.Undriven;
import dev.doorbell.explain.Source;
import dev.doorbell.hw.gicits.ItsConfig;
import dev.doorbell.hw.gicits.ItsModel;
import dev.doorbell.hw.gicv3.GicV3Config;
import dev.doorbell.hw.gicv3.GicV3Model;
import dev.doorbell.hw.imsic.ImsicModel;
import dev.doorbell.hw.lapic.LapicModel;
import dev.doorbell.hw.xics.XicsModel;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Builds the interrupt controllers of a description and puts them on the bus.
final class InterruptModels {
  /// A Redistributor's RD and SGI frames (IHI 0069, 12.10); a GICv4 one has two more for virtual LPIs.
  private static final long REDISTRIBUTOR = 0x20000;

  private static final long DISTRIBUTOR = 0x10000;

  /// Requester ids of one segment; firmware's mappings often state more ids than there can be.
  private static final long REQUESTERS = 0x10000;

  private static final int MOST_DEVICE_ID_BITS = 32;

  private final MachineDescription machine;
  private final PhysicalMemory memory;
  private final SystemMap bus;
  private final Optional<CpuInterface> cpus;
  private final Optional<ImsicModel> files;
  private final Optional<ImsicModel> firmwareFiles;
  private final Optional<XicsModel> servers;
  private Optional<LapicModel> lapics = Optional.empty();

  private InterruptModels(MachineDescription machine, PhysicalMemory memory, SystemMap bus) {
    this.machine = machine;
    this.memory = memory;
    this.bus = bus;
    this.cpus = machine.gic().map(this::gic).or(() -> machine.apic().map(this::apic));
    this.files = cpus.isPresent() ? Optional.empty() : RiscvModels.interruptFiles(machine, bus);
    this.firmwareFiles = files.flatMap(_ -> RiscvModels.firmwareFiles(machine, bus));
    this.servers = cpus.isPresent() ? Optional.empty() : PowerModels.servers(machine, bus);
    if (cpus.isEmpty()
        && files.isEmpty()
        && servers.isEmpty()
        && !PaprModels.isGuest(machine)
        && !MpicModels.build(machine, bus)
        && !PowerModels.interrupts(machine, memory, bus)) {
      throw machine.arch() == Arch.RISCV64
          ? RiscvModels.without(machine)
          : Undriven.of(machine).stream()
              .map(u -> new NotModelled(u.iommu(), u.why(), u.source()))
              .findFirst()
              .orElseGet(InterruptModels::without);
    }
  }

  private static NotModelled without() {
    return new NotModelled(
        "the interrupt controller",
        "firmware describes neither a GIC nor local APICs, nor an MPIC with message interrupts, nor IBM host bridges with their interrupt controller, nor those of a PAPR guest",
        Source.rule("MADT or device tree"));
  }

  /// {@return the interrupt controllers of a description, on its bus}
  ///
  /// @throws NotModelled when there are none that have models
  static InterruptModels build(MachineDescription machine, PhysicalMemory memory, SystemMap bus) {
    return new InterruptModels(machine, memory, bus);
  }

  /// {@return the CPUs' side; empty where drivers find interrupts in the controller's registers}
  Optional<CpuInterface> cpus() {
    return cpus;
  }

  /// {@return the harts' side; RISC-V}
  Optional<InterruptFiles> files() {
    return files.map(f -> f);
  }

  /// {@return the harts' side at machine level; RISC-V}
  Optional<InterruptFiles> firmwareFiles() {
    return firmwareFiles.map(f -> f);
  }

  /// {@return registers that only CPUs reach; x86}
  Optional<CpuRegisters> cpuRegisters() {
    return lapics.map(l -> l);
  }

  /// {@return where IOMMUs of x86 send the interrupts that they remap}
  ApicPort apics() {
    return lapics.<ApicPort>map(l -> l).orElse((_, _, _) -> false);
  }

  /// {@return where bridges of POWER8 send interrupts}
  XicsPort servers() {
    return servers.<XicsPort>map(s -> s).orElse((_, _, _) -> false);
  }

  private CpuInterface gic(GicDescription gic) {
    boolean its =
        machine.msiControllers().stream().anyMatch(c -> c instanceof MsiControllerDescription.Its);
    return gic.version() >= 3 || its || !gic.redistributors().isEmpty()
        ? gicV3(gic)
        : GicV2Models.build(gic, machine.msiControllers(), bus);
  }

  private CpuInterface apic(ApicDescription apic) {
    LapicModel model = new LapicModel(apic.ids());
    bus.add("local APICs", MsiControllerDescription.LocalApic.WINDOW, model);
    lapics = Optional.of(model);
    return model;
  }

  private CpuInterface gicV3(GicDescription gic) {
    List<GicV3Config.Cpu> cpus = cpus(gic);
    GicV3Model model = new GicV3Model(new GicV3Config(cpus, 256, 16, 5, false), memory);
    bus.add(
        "GICD", AddressRange.ofSize(gic.distributor().start(), DISTRIBUTOR), model.distributor());
    for (int i = 0; i < cpus.size(); i++) {
      bus.add(
          "GICR of CPU " + i,
          AddressRange.ofSize(cpus.get(i).redistributor(), REDISTRIBUTOR),
          model.redistributor(i));
    }
    for (MsiControllerDescription c : machine.msiControllers()) {
      switch (c) {
        case MsiControllerDescription.Its its ->
            bus.add(its.id(), its.window(), new ItsModel(config(its.id()), memory, model));
        case MsiControllerDescription.GicV2m v2m -> GicV2Models.frame(bus, v2m, model::spi);
        case MsiControllerDescription.LocalApic _,
            MsiControllerDescription.Imsic _,
            MsiControllerDescription.MpicMsi _,
            MsiControllerDescription.PhbMsi _,
            MsiControllerDescription.PaprMsi _,
            MsiControllerDescription.Other _ -> {
          // Known by name only: functions behind it are refused by the plan, and nothing answers at
          // its doorbell.
        }
      }
    }
    return model;
  }

  /// An ITS as QEMU's, with DeviceIDs as wide as firmware's highest needs: those of a second segment are often above 16 bits.
  private ItsConfig config(String id) {
    ItsConfig usual = ItsConfig.QEMU;
    long highest =
        machine.hostBridges().stream()
            .flatMap(b -> b.msis().stream())
            .filter(m -> m.controllers().contains(id))
            .mapToLong(m ->
                Integer.toUnsignedLong(m.firstDeviceId()) + Math.min(m.count(), REQUESTERS) - 1)
            .max()
            .orElse(0);
    return usual.withDeviceIdBits(
        Math.clamp(
            Long.SIZE - Long.numberOfLeadingZeros(highest),
            usual.deviceIdBits(),
            MOST_DEVICE_ID_BITS));
  }

  /// Redistributors lie in the regions that firmware gives, in the order of its CPUs.
  private static List<GicV3Config.Cpu> cpus(GicDescription gic) {
    List<Long> places = places(gic);
    if (places.isEmpty()) {
      throw new NotModelled(
          "the GICv3 at " + gic.distributor(), "firmware names no Redistributor", gic.source());
    }
    List<GicV3Config.Cpu> cpus = new ArrayList<>();
    for (int i = 0; i < Math.min(places.size(), Math.max(1, gic.cpus().size())); i++) {
      long mpidr = i < gic.cpus().size() ? gic.cpus().get(i).mpidr() : 0;
      cpus.add(new GicV3Config.Cpu(mpidr, places.get(i)));
    }
    return cpus;
  }

  /// A region for each CPU holds one, whatever its size (that of a GICv4 is 256 KiB); fewer regions hold several, side by side.
  private static List<Long> places(GicDescription gic) {
    int wanted = Math.max(1, gic.cpus().size());
    List<Long> places = new ArrayList<>();
    boolean oneEach = gic.redistributors().size() >= wanted;
    for (AddressRange region : gic.redistributors()) {
      long at = region.start();
      do {
        places.add(at);
        at += REDISTRIBUTOR;
      } while (!oneEach
          && places.size() < wanted
          && region.contains(new AddressRange(at, at + (REDISTRIBUTOR - 1))));
    }
    return places;
  }
}
