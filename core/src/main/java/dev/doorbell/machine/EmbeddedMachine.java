package dev.doorbell.machine;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Sizes;
import dev.doorbell.bus.CpuInterface;
import dev.doorbell.bus.CpuRegisters;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.Hypervisor;
import dev.doorbell.bus.InterruptFiles;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.bus.Translator;
import dev.doorbell.description.FunctionDescription;
import dev.doorbell.description.HostBridge;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.explain.Source;
import dev.doorbell.hw.aplic.AplicModel;
import dev.doorbell.hw.hpet.HpetModel;
import dev.doorbell.hw.ioapic.IoapicModel;
import dev.doorbell.hw.pcie.EndpointModel;
import dev.doorbell.pci.ConfigImage;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.Firing;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.PciTopology;
import dev.doorbell.pci.Sbdf;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A whole machine of Doorbell's own models, built from a description. Safe for use from many threads.
public final class EmbeddedMachine implements Machine {
  private static final long POOL_MOST = 256 * Sizes.MIB;
  private static final long POOL_LEAST = 8 * Sizes.MIB;
  private static final long RAM_WHERE_UNSEEN = Sizes.GIB;
  private static final long SPARE_WINDOW = 256 * Sizes.MIB;

  private final MachineDescription description;
  private final Ram ram;
  private final SystemMap bus;
  private final FrameStore frames;
  private final InterruptModels interrupts;
  private final PaprModels papr;
  private final Map<String, AddressRange> iommuWindows;
  private final Map<Integer, IoapicModel> ioApics;
  private final Map<Integer, HpetModel> hpets;
  private final Map<Integer, AplicModel> aplics;
  private final List<PciModels> complexes = new ArrayList<>();

  private EmbeddedMachine(MachineDescription description, List<AddressRange> memory) {
    this.description = description;
    ram = new Ram(memory);
    bus = new SystemMap(ram);
    frames = new FrameStore(ram, pool(memory));
    interrupts = InterruptModels.build(description, ram, bus);
    papr = new PaprModels(description, ram, bus, this);
    IommuModels models =
        new IommuModels(description, ram, bus, interrupts.apics(), interrupts.servers());
    Map<String, Translator> iommus = models.build();
    iommus.replaceAll((id, closed) -> papr.window(id).orElse(closed));
    iommuWindows = models.windows();
    buildPci(iommus);
    ioApics = IoapicModels.build(description, iommus, bus);
    hpets = HpetModels.build(description, iommus, bus);
    aplics = AplicModels.build(description, bus);
  }

  /// {@return a machine as it is after reset, PCI buses numbered and BARs placed as the capture has them}
  ///
  /// An IOMMU that has no model is there as one that lets nothing pass. One of x86 remaps interrupts where firmware offers it, unless the
  /// captured kernel is known to have left it off.
  ///
  /// @throws UnusableDescription when the description contradicts itself
  /// @throws NotModelled when the description has no interrupt controller that a model stands for, or no room for drivers' tables
  public static EmbeddedMachine of(MachineDescription description) {
    for (MachineDescription.Memory m : description.memory()) {
      if (!Ram.canHold(m.range())) {
        throw new UnusableDescription(
            "RAM at " + m.range(),
            "a bank has less than 2^47 bytes and ends below 2^56",
            m.source());
      }
    }
    List<AddressRange> memory =
        description.memory().stream().map(MachineDescription.Memory::range).toList();
    return new EmbeddedMachine(
        description.remappingAsOffered(),
        memory.isEmpty() ? List.of(unseenRam(description)) : memory);
  }

  /// 1 GiB clear of everything that firmware describes.
  private static AddressRange unseenRam(MachineDescription d) {
    List<AddressRange> taken = new ArrayList<>();
    d.iommus().forEach(i -> i.registers().ifPresent(taken::add));
    d.msiControllers().forEach(c -> c.doorbells().forEach(b -> taken.add(b.frame())));
    d.gic().ifPresent(g -> taken.add(g.distributor()));
    d.gic().ifPresent(g -> taken.addAll(g.redistributors()));
    d.gic().flatMap(g -> g.cpuInterface()).ifPresent(taken::add);
    d.hostBridges().forEach(b -> b.ecam().ifPresent(taken::add));
    d.hostBridges().forEach(b -> b.windows().forEach(w -> taken.add(w.cpu())));
    for (long at = RAM_WHERE_UNSEEN; at < Sizes.TIB; at += RAM_WHERE_UNSEEN) {
      AddressRange ram = AddressRange.ofSize(at, RAM_WHERE_UNSEEN);
      if (taken.stream().noneMatch(ram::overlaps)) {
        return ram;
      }
    }
    throw new NotModelled(
        "RAM",
        "the capture does not tell where it is, and no GiB below 2^40 is free",
        Source.rule("proc/iomem"));
  }

  @Override
  public MachineDescription description() {
    return description;
  }

  @Override
  public PhysicalMemory memory() {
    return ram;
  }

  @Override
  public Frames frames() {
    return frames;
  }

  @Override
  public RegisterBus registers(AddressRange window) {
    return bus.registers(window);
  }

  @Override
  public ConfigSpace config(Sbdf function) {
    return complexes.stream()
        .map(PciModels::complex)
        .filter(c -> c.segment() == function.segment())
        .map(c -> c.function(function.bus(), function.device(), function.function()))
        .flatMap(Optional::stream)
        .findFirst()
        .map(f -> f.config())
        .orElseGet(() -> ConfigImage.of(new byte[0], function + ", where nothing answers"));
  }

  @Override
  public RegisterBus bar(Sbdf function, int index) {
    return complexes.stream()
        .flatMap(c -> c.bar(function, index).stream())
        .findFirst()
        .map(bus::registers)
        .orElseThrow(() ->
            new UnusableDescription(
                "BAR %d of %s".formatted(index, function),
                "the capture has no memory BAR of that number within the windows of its root complex",
                description.functions().stream()
                    .filter(f -> f.sbdf().equals(function))
                    .map(FunctionDescription::source)
                    .findFirst()
                    .orElse(Source.rule("functions of the machine"))));
  }

  @Override
  public Optional<CpuInterface> cpuInterface() {
    return interrupts.cpus();
  }

  @Override
  public Optional<CpuRegisters> cpuRegisters() {
    return interrupts.cpuRegisters();
  }

  @Override
  public Optional<InterruptFiles> interruptFiles() {
    return interrupts.files();
  }

  @Override
  public Optional<InterruptFiles> firmwareFiles() {
    return interrupts.firmwareFiles();
  }

  @Override
  public Optional<RegisterBus> registersOf(IommuDescription iommu) {
    return Optional.ofNullable(iommuWindows.get(iommu.id()))
        .or(iommu::registers)
        .map(this::registers);
  }

  @Override
  public Optional<Hypervisor> hypervisor() {
    return papr.hypervisor();
  }

  @Override
  public Firing fire(Sbdf function, int vector) {
    return endpoint(function)
        .orElseThrow(
            () -> new IllegalArgumentException(function + " is no endpoint of this machine"))
        .fire(vector);
  }

  /// {@return an endpoint, to make it do what a driver could not ask of it}
  public Optional<EndpointModel> endpoint(Sbdf function) {
    return complexes.stream().flatMap(c -> c.endpoint(function).stream()).findFirst();
  }

  /// {@return an I/O APIC, whose lines can be driven; empty where firmware does not tell enough of it}
  public Optional<IoapicModel> ioApic(int apicId) {
    return Optional.ofNullable(ioApics.get(apicId));
  }

  /// {@return an HPET, whose time passes when it is told to; empty where firmware does not tell enough of it}
  public Optional<HpetModel> hpet(int number) {
    return Optional.ofNullable(hpets.get(number));
  }

  /// {@return an APLIC, whose wires can be driven; empty where firmware does not tell enough of it}
  public Optional<AplicModel> aplic(int number) {
    return Optional.ofNullable(aplics.get(number));
  }

  @Override
  public void close() {}

  /// The end of the first bank that is large enough, so that the start stays free for a guest's RAM.
  private static AddressRange pool(List<AddressRange> memory) {
    for (AddressRange bank : memory) {
      long bytes = Granule.K64.alignDown(Math.min(POOL_MOST, bank.bytes() / 2));
      if (bytes >= POOL_LEAST) {
        long end = Granule.K64.alignDown(bank.last() + 1);
        return AddressRange.ofSize(end - bytes, bytes);
      }
    }
    throw new NotModelled(
        "memory " + memory, "no bank has 16 MiB for drivers' tables", Source.file("proc/iomem"));
  }

  private void buildPci(Map<String, Translator> iommus) {
    PciTopology topology = topology(description);
    Map<Integer, RequesterRoutes> routes = new HashMap<>();
    for (HostBridge b : description.hostBridges()) {
      List<HostBridge.Window> windows = windows(b, topology);
      RequesterRoutes upstream =
          routes.computeIfAbsent(
              b.segment(), segment -> new RequesterRoutes(bridges(segment), iommus, bus));
      PciModels models = new PciModels(b, windows, upstream, topology);
      windows.forEach(
          w -> bus.add("PCI window of " + b.id(), w.cpu(), models.complex().window(w.pciStart())));
      b.ecam()
          .filter(e -> bus.occupant(e).isEmpty())
          .ifPresent(e -> bus.add("ECAM of " + b.id(), e, models.complex().ecam()));
      models.build(description.functions());
      complexes.add(models);
    }
  }

  private List<HostBridge> bridges(int segment) {
    return description.hostBridges().stream().filter(b -> b.segment() == segment).toList();
  }

  /// The windows that firmware tells, and one of the machine's own for BARs that the capture has not placed.
  private List<HostBridge.Window> windows(HostBridge b, PciTopology topology) {
    List<HostBridge.Window> out = new ArrayList<>();
    for (HostBridge.Window w : b.windows()) {
      if (!w.io() && bus.occupant(w.cpu()).isEmpty()) {
        out.add(w);
      }
    }
    if (out.isEmpty()) {
      out.addAll(capturedBars(b, topology));
    }
    out.add(spare(b, out));
    return out;
  }

  /// Where no window is known, each MiB that holds a BAR is one.
  private List<HostBridge.Window> capturedBars(HostBridge b, PciTopology topology) {
    Map<Long, HostBridge.Window> out = new HashMap<>();
    long mib = Sizes.MIB;
    for (FunctionDescription f : description.functions()) {
      if (!b.owns(f.sbdf().segment(), f.sbdf().bus())) {
        continue;
      }
      for (AddressRange bar : bars(f, topology)) {
        for (long at = bar.start() & -mib; Long.compareUnsigned(at, bar.last()) <= 0; at += mib) {
          AddressRange piece = AddressRange.ofSize(at, mib);
          if (bus.occupant(piece).isEmpty() && !ram.meets(piece)) {
            out.putIfAbsent(at, new HostBridge.Window(piece, at, false, false, f.source()));
          }
        }
      }
    }
    return List.copyOf(out.values());
  }

  /// Memory BARs as the kernel placed them; where it was not recorded, as the function's registers tell, with the sizes that the machine gives
  /// them.
  private static List<AddressRange> bars(FunctionDescription f, PciTopology topology) {
    if (!f.resources().isEmpty()) {
      return f.resources().stream()
          .filter(bar -> !bar.io())
          .map(FunctionDescription.Bar::range)
          .toList();
    }
    return topology
        .function(f.sbdf())
        .filter(pci -> !pci.isBridge())
        .map(pci -> BarPlacement.of(f, pci, 0).ranges())
        .orElse(List.of());
  }

  private HostBridge.Window spare(HostBridge b, List<HostBridge.Window> others) {
    for (long at = SPARE_WINDOW; at < Sizes.TIB; at += SPARE_WINDOW) {
      AddressRange range = AddressRange.ofSize(at, SPARE_WINDOW);
      boolean free =
          bus.occupant(range).isEmpty()
              && b.ecam().stream().noneMatch(range::overlaps)
              && others.stream()
                  .noneMatch(w ->
                      w.cpu().overlaps(range)
                          || AddressRange.ofSize(w.pciStart(), w.cpu().bytes()).overlaps(range))
              && description.hostBridges().stream()
                  .flatMap(x -> x.ecam().stream())
                  .noneMatch(range::overlaps)
              && description.hostBridges().stream()
                  .flatMap(x -> x.windows().stream())
                  .noneMatch(w -> w.cpu().overlaps(range))
              && !ram.meets(range);
      if (free) {
        return new HostBridge.Window(
            range, at, false, false, Source.rule("room of the embedded machine"));
      }
    }
    throw new NotModelled(
        "root complex " + b.id(), "physical address space has no room for BARs", b.source());
  }

  private static PciTopology topology(MachineDescription description) {
    List<PciFunction> pci = new ArrayList<>();
    for (FunctionDescription d : description.functions()) {
      String where = d.source().where();
      pci.add(
          d.physicalFunction()
              .map(pf -> PciFunction.virtual(d.sbdf(), d.config(), where, pf))
              .orElseGet(() -> PciFunction.of(d.sbdf(), d.config(), where)));
    }
    return PciTopology.of(pci);
  }
}
