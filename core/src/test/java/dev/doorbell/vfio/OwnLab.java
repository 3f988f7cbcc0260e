package dev.doorbell.vfio;

import dev.doorbell.address.Iova;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.DmaPort;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.explain.Source;
import dev.doorbell.hw.pcie.DemoLayout;
import dev.doorbell.hw.pcie.DemoRegisters;
import dev.doorbell.hw.pcie.EndpointModel;
import dev.doorbell.hw.pcie.EndpointSpec;
import dev.doorbell.hw.pcie.EndpointSpec.Msi;
import dev.doorbell.hw.pcie.RootComplexModel;
import dev.doorbell.iommu.IommuGroup;
import dev.doorbell.iommu.IommuGroup.Isolation;
import dev.doorbell.iommu.IommuGroup.Member;
import dev.doorbell.iommu.IommuGroup.Stream;
import dev.doorbell.iommu.Ringers;
import dev.doorbell.irq.Interrupts;
import dev.doorbell.irq.MsiDomain;
import dev.doorbell.irq.MsiRoute;
import dev.doorbell.irq.MsiRoute.Target;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.simple.HardwareWrites;
import dev.doorbell.simple.SimpleIommu;
import dev.doorbell.simple.SimpleMemory;
import dev.doorbell.simple.SimpleMsiController;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/// Our own stack on PCI Express models, a simple IOMMU and simple MSI controllers.
final class OwnLab implements VfioLab, DmaPort {
  static final int RAM = 0x4000_0000;
  static final Source TEST = Source.rule("test");
  private static final Sbdf USED = Sbdf.parse("00:05.0");
  private static final Sbdf UNSAFE = Sbdf.parse("00:06.0");
  private static final Sbdf MSI = Sbdf.parse("00:04.0");

  final HardwareWrites hw = new HardwareWrites();
  final SimpleIommu iommu = SimpleIommu.of("smmu0", hw);
  final SimpleMemory memory = new SimpleMemory(RAM, 0x40_0000);
  final SimpleMsiController its0 = new SimpleMsiController("its0", 0x809_0040, 8192, 16, true, hw);
  final SimpleMsiController its1 = new SimpleMsiController("its1", 0x80b_0040, 9000, 64, true, hw);
  final SimpleMsiController v2m = new SimpleMsiController("v2m", 0x802_0040, 80, 64, false, hw);
  final Map<Sbdf, EndpointModel> endpoints = new LinkedHashMap<>();
  final Interrupts interrupts = Interrupts.of(List.of(its0, its1, v2m));
  private final RootComplexModel root = new RootComplexModel(0, 0, 0, this, false);
  final Ringers ringers = new Ringers();
  private final List<HostFunction> functions = new ArrayList<>();
  private final Vfio vfio;

  OwnLab() {
    functions.add(function(Sbdf.parse("00:01.0"), EndpointSpec.demo(8), its0));
    functions.add(function(Sbdf.parse("00:02.0"), EndpointSpec.demo(8), its1));
    functions.add(function(Sbdf.parse("00:03.0"), EndpointSpec.demo(64), its0));
    functions.add(function(MSI, EndpointSpec.demoMsi(new Msi(8, true, true)), its1));
    functions.add(function(USED, EndpointSpec.demo(8), its0));
    functions.add(function(UNSAFE, EndpointSpec.demo(8), v2m));
    vfio = over(functions);
  }

  /// {@return this machine with some functions}
  Vfio over(List<HostFunction> given) {
    return OwnStack.over(
        new OwnHost(
            "test machine",
            given,
            memory,
            memory,
            interrupts,
            List.of(its0.frame(), its1.frame(), v2m.frame()),
            List.of()));
  }

  /// {@return the same machine, where a function's BAR is as large as told}
  Vfio withBar(Sbdf function, int index, long bytes) {
    return over(
        functions.stream()
            .map(f ->
                f.sbdf().equals(function)
                    ? new HostFunction(
                        f.sbdf(),
                        f.group(),
                        f.config(),
                        f.bars().stream()
                            .map(b ->
                                b.index() == index ? new HostBar(index, bytes, b.registers()) : b)
                            .toList(),
                        f.msiDomain(),
                        f.driver(),
                        f.functionReset())
                    : f)
            .toList());
  }

  private HostFunction function(Sbdf sbdf, EndpointSpec spec, SimpleMsiController msi) {
    int rid = sbdf.requesterId();
    IommuGroup group =
        IommuGroup.of(
            sbdf.device(),
            List.of(
                new Member(
                    sbdf.toString(),
                    List.of(new Stream(iommu, rid)),
                    new Isolation(msi.isolated(), msi.id(), OptionalInt.of(rid), TEST))),
            List.of("it is alone below its port"),
            List.of(),
            ringers);
    MsiRoute route = new MsiRoute(List.of(new Target(msi, rid, msi.frame())), 4, TEST);
    return function(sbdf, spec, group, route);
  }

  /// {@return one more function of this machine, in a group of its own making}
  HostFunction function(Sbdf sbdf, EndpointSpec spec, IommuGroup group, MsiRoute route) {
    int vectors = spec.msix().map(EndpointSpec.Msix::vectors).orElse(8);
    EndpointModel e = EndpointModel.create(spec, new DemoRegisters(vectors));
    root.root().add(sbdf.requesterId(), e);
    endpoints.put(sbdf, e);
    List<HostBar> bars = new ArrayList<>();
    for (EndpointSpec.Bar b : spec.bars()) {
      long at = 0x1_0000_0000L + sbdf.device() * 0x10_0000L + b.index() * 0x2_0000L;
      e.placeBar(b.index(), at);
      bars.add(new HostBar(b.index(), b.bytes(), new Window(e, at, hw)));
    }
    return new HostFunction(
        sbdf,
        group,
        new Config(sbdf.toString(), e.config(), hw),
        bars,
        MsiDomain.behind(group, route),
        sbdf.equals(USED) ? Optional.of("nvme") : Optional.empty(),
        e::reset);
  }

  /// A BAR as the host reaches it.
  private record Window(EndpointModel endpoint, long start, HardwareWrites hw)
      implements RegisterBus {
    @Override
    public long read(long offset, int bytes) {
      return endpoint.read(start + offset, bytes).value();
    }

    @Override
    public void write(long offset, long value, int bytes) {
      hw.write("BAR register 0x" + Long.toHexString(offset));
      if (endpoint.write(start + offset, value, bytes) != BusOutcome.OK) {
        throw new IllegalStateException("nothing answers at 0x" + Long.toHexString(offset));
      }
    }
  }

  /// A configuration space as the host reaches it.
  private record Config(String name, ConfigSpace endpoint, HardwareWrites hw)
      implements ConfigSpace {
    @Override
    public int size() {
      return endpoint.size();
    }

    @Override
    public int read(int offset, int bytes) {
      return endpoint.read(offset, bytes);
    }

    @Override
    public void write(int offset, int value, int bytes) {
      hw.write(name + " configuration register 0x" + Integer.toHexString(offset));
      endpoint.write(offset, value, bytes);
    }
  }

  @Override
  public BusOutcome write(int requesterId, long address, long value, int bytes) {
    Optional<Long> pa = iommu.write(requesterId, address);
    if (pa.isEmpty()) {
      return BusOutcome.ERROR;
    }
    if (memory.holds(pa.get(), bytes)) {
      memory.write(pa.get(), value, bytes);
      return BusOutcome.OK;
    }
    for (SimpleMsiController c : List.of(its0, its1, v2m)) {
      if (c.message(pa.get(), (int) value, requesterId)) {
        return BusOutcome.OK;
      }
    }
    return BusOutcome.ERROR;
  }

  @Override
  public BusRead read(int requesterId, long address, int bytes) {
    Optional<Long> pa = iommu.read(requesterId, address);
    return pa.isPresent() && memory.holds(pa.get(), bytes)
        ? BusRead.ok(memory.read(pa.get(), bytes))
        : BusRead.error(bytes);
  }

  @Override
  public Vfio vfio() {
    return vfio;
  }

  @Override
  public WindowAnswer windowAnswer() {
    return WindowAnswer.REGISTERED;
  }

  @Override
  public List<Sbdf> msix() {
    return List.of(Sbdf.parse("00:01.0"), Sbdf.parse("00:02.0"), Sbdf.parse("00:03.0"));
  }

  @Override
  public Sbdf msi() {
    return MSI;
  }

  @Override
  public Sbdf usedByHost() {
    return USED;
  }

  @Override
  public Optional<Sbdf> notIsolated() {
    return Optional.of(UNSAFE);
  }

  @Override
  public void raise(Device device, int vector) {
    device.region(RegionType.BAR0).write(DemoLayout.RING.offset(), vector, Integer.BYTES);
    vfio.deliver();
  }

  @Override
  public boolean copy(Device device, Iova from, Iova to, int bytes) {
    RegisterBus r = device.region(RegionType.BAR0);
    r.write(DemoLayout.SOURCE.offset(), from.value(), Long.BYTES);
    r.write(DemoLayout.DESTINATION.offset(), to.value(), Long.BYTES);
    r.write(DemoLayout.LENGTH.offset(), bytes, Integer.BYTES);
    r.write(DemoLayout.COPY.offset(), DemoLayout.START.place(1), Integer.BYTES);
    long done = r.read(DemoLayout.COPIED.offset(), Integer.BYTES);
    return DemoLayout.DONE.isSet(done)
        && !DemoLayout.READ_ERROR.isSet(done)
        && !DemoLayout.WRITE_ERROR.isSet(done);
  }

  @Override
  public boolean isBusMaster(Sbdf function) {
    return ConfigHeaderLayout.BUS_MASTER_ENABLE.isSet(
        endpoints.get(function).config().read16((int) ConfigHeaderLayout.COMMAND.offset()));
  }

  /// {@return everything that hardware holds}
  List<Object> state() {
    List<Object> out = new ArrayList<>();
    out.add(iommu.state());
    out.add(its0.state());
    out.add(its1.state());
    out.add(v2m.state());
    out.add(memory.bytesInUse());
    for (EndpointModel e : endpoints.values()) {
      List<Long> words = new ArrayList<>();
      for (int at = 0; at < 0x100; at += Integer.BYTES) {
        words.add(Integer.toUnsignedLong(e.config().read32(at)));
      }
      long table = 0x1_0000_0000L + (e.requesterId() >> 3) * 0x10_0000L + 0x4_0000L;
      for (int at = 0; at < 64 * 16; at += Integer.BYTES) {
        words.add(e.read(table + at, Integer.BYTES).value());
      }
      out.add(words);
    }
    return out;
  }

  @Override
  public void close() {
    vfio.close();
  }
}
