package dev.doorbell.contract;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.contract.Progress.Seen;
import dev.doorbell.contract.Reference.Arrival;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.host.Host;
import dev.doorbell.host.HostFunction;
import dev.doorbell.hw.pcie.EndpointModel;
import dev.doorbell.iommu.Domain;
import dev.doorbell.iommu.DomainPolicy;
import dev.doorbell.iommu.Iommu;
import dev.doorbell.iommu.IommuGroup;
import dev.doorbell.iommu.Protection;
import dev.doorbell.iommu.Ringers;
import dev.doorbell.irq.LiveVector;
import dev.doorbell.irq.MsiController;
import dev.doorbell.irq.MsiDomain;
import dev.doorbell.irq.MsiFunction;
import dev.doorbell.irq.MsiRoute;
import dev.doorbell.irq.VectorListener;
import dev.doorbell.machine.EmbeddedMachine;
import dev.doorbell.machine.Machine;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.MessageTable;
import dev.doorbell.pci.MsixCapability;
import dev.doorbell.pci.Sbdf;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// A whole machine with its drivers, groups and functions, and the steps done to it.
final class World {
  private static final int COMMAND = 4;
  private static final int MEMORY_AND_MASTER = 6;
  private static final int CONFIG_SEEN = 256;

  /// A function with all that belongs to it.
  private record Fn(
      EndpointModel device,
      ConfigSpace config,
      IommuGroup group,
      MsiRoute route,
      MsiFunction vectors,
      Optional<ShownTable> table) {}

  final Facts facts;
  private final EmbeddedMachine embedded;
  private final long arena;
  private final Machine machine;
  private final Wiring wiring;
  private final Host host;
  private final Ringers ringers = new Ringers();
  private final List<Fn> functions = new ArrayList<>();
  private final Map<Iommu, WiredIommu> iommus = new HashMap<>();
  private final List<WiredIommu> iommuList = new ArrayList<>();
  private final Map<MsiController, BreakingController> breaking = new HashMap<>();
  private final Map<MsiController, MsiController> wired = new HashMap<>();
  private final Map<Integer, Domain> domains = new HashMap<>();
  private final Set<Arrival> arrivals = new HashSet<>();

  World(MachineDescription description, List<Sbdf> chosen, Wiring wiring) {
    embedded = EmbeddedMachine.of(description);
    this.wiring = wiring;
    machine = wiring.machine(embedded);
    host = Host.start(machine);
    arena = description.memory().getFirst().range().start() + (16L << 20);
    List<Facts.Function> known = new ArrayList<>();
    for (Sbdf s : chosen) {
      Fn f = open(s);
      functions.add(f);
      known.add(factsOf(s, f));
    }
    var capabilities = iommuList.getFirst().capabilities();
    facts =
        new Facts(
            known,
            iommuList.size(),
            functions.getFirst().route().cpus(),
            capabilities.granules().stream().map(Granule::shift).toList(),
            (1L << capabilities.inputBits()) - 1,
            arena);
    for (int i = 0; i < Facts.PAGES; i++) {
      embedded.memory().write32(word(i), 0xca0a_0000 | i);
    }
  }

  private long word(int page) {
    return facts.arena() + ((long) page << 12) + Facts.WORD;
  }

  private Fn open(Sbdf sbdf) {
    HostFunction f = host.function(sbdf);
    ConfigSpace config = machine.config(sbdf);
    config.write(COMMAND, config.read(COMMAND, 2) | MEMORY_AND_MASTER, 2);
    IommuGroup real = host.group(sbdf).orElseThrow();
    List<IommuGroup.Member> members =
        real.members().stream()
            .map(m ->
                new IommuGroup.Member(
                    m.name(),
                    m.streams().stream()
                        .map(s -> new IommuGroup.Stream(wire(s.iommu()), s.streamId()))
                        .toList(),
                    m.isolation()))
            .toList();
    IommuGroup group =
        IommuGroup.of(
            real.id(),
            members,
            real.because(),
            Stream.concat(
                    real.reserved().stream(), ExtraRegions.of(functions.size(), arena).stream())
                .toList(),
            wiring.ringers(ringers));
    MsiRoute route = wire(f.domain().route());
    EndpointModel device = embedded.endpoint(sbdf).orElseThrow();
    Optional<MsixCapability> msix = f.pci().msix().thing();
    MessageTable table =
        msix.<MessageTable>map(
                m -> m.table(machine.bar(sbdf, m.tableBar()), machine.bar(sbdf, m.pbaBar())))
            .or(() -> f.pci().msi().thing())
            .orElseThrow();
    return new Fn(
        device,
        config,
        group,
        route,
        MsiFunction.of(
            sbdf.toString(), new EagerTable(table, device::fire), MsiDomain.behind(group, route)),
        msix.map(
            m -> new ShownTable(machine.bar(sbdf, m.tableBar()), m.tableOffset(), m.vectors())));
  }

  private Facts.Function factsOf(Sbdf sbdf, Fn f) {
    MsiRoute.Target t = f.route().targets().getFirst();
    HostFunction h = host.function(sbdf);
    MessageTable table = h.pci().msi().thing().orElse(null);
    boolean msix = f.table().isPresent();
    return new Facts.Function(
        sbdf.toString(),
        f.device().requesterId(),
        t.controller().id(),
        t.deviceId(),
        t.doorbells().getFirst().doorbell().value(),
        t.doorbells().getFirst().frame().start(),
        t.doorbells().getFirst().frame().last(),
        t.controller().isolated(),
        f.vectors().size(),
        !msix,
        msix || (table != null && table.isMaskable()),
        msix || (table != null && table.is64Bit()),
        f.group().reserved().stream().map(ExtraRegions::factsOf).toList());
  }

  private WiredIommu wire(Iommu real) {
    return iommus.computeIfAbsent(
        real,
        r -> {
          WiredIommu w = new WiredIommu(r, wiring);
          iommuList.add(w);
          return w;
        });
  }

  private MsiRoute wire(MsiRoute route) {
    return new MsiRoute(
        route.targets().stream()
            .map(t -> new MsiRoute.Target(wire(t.controller()), t.deviceId(), t.doorbells()))
            .toList(),
        route.cpus(),
        route.source());
  }

  private MsiController wire(MsiController real) {
    return wired.computeIfAbsent(
        real, r -> wiring.controller(breaking.computeIfAbsent(r, BreakingController::new)));
  }

  /// Does a step.
  ///
  /// {@return the name of the refusal; empty when it was done}
  String apply(Step step, int forged) {
    arrivals.clear();
    String refusal = "";
    try {
      run(step, forged);
    } catch (RuntimeException e) {
      refusal = e.getClass().getSimpleName();
      if (e instanceof IllegalStateException || e instanceof IllegalArgumentException) {
        last = e;
      }
    } finally {
      breaking.values().forEach(b -> b.failAfter(-1));
    }
    wiring.stepped();
    collect();
    return refusal;
  }

  RuntimeException last = new IllegalStateException("none");

  private void run(Step step, int forged) {
    switch (step) {
      case Step.Create c ->
          domains.put(
              c.domain(),
              Domain.create(
                  "domain " + c.domain(),
                  c.trusted() ? DomainPolicy.TRUSTED_USER : DomainPolicy.USER,
                  iommuList.get(c.domain() % iommuList.size()),
                  new Granule(c.granuleShift())));
      case Step.Close c -> {
        domains.get(c.domain()).close();
        domains.remove(c.domain());
      }
      case Step.Attach a -> domains.get(a.domain()).attach(functions.get(a.function()).group());
      case Step.Detach d -> domains.get(d.domain()).detach(functions.get(d.function()).group());
      case Step.Map m ->
          domains
              .get(m.domain())
              .map(
                  new Iova(m.iova()),
                  new Pa(m.pa()),
                  m.bytes(),
                  m.write() ? Protection.READ_WRITE : Protection.READ_ONLY);
      case Step.Unmap u -> domains.get(u.domain()).unmap(AddressRange.ofSize(u.iova(), u.bytes()));
      case Step.Reserve r ->
          domains.get(r.domain()).reserveMsiWindow(AddressRange.ofSize(r.start(), r.bytes()));
      case Step.Remove r -> domains.get(r.domain()).removeMsiWindow();
      case Step.Enable e -> {
        breaking.values().forEach(b -> b.failAfter(e.failAt()));
        functions
            .get(e.function())
            .vectors()
            .enable(e.min(), e.max(), e.masked(), VectorListener.NONE);
      }
      case Step.Release r -> functions.get(r.function()).vectors().release();
      case Step.Retarget r -> functions.get(r.function()).vectors().retarget(r.vector(), r.cpu());
      case Step.Mask m -> functions.get(m.function()).vectors().mask(m.vector(), m.masked());
      case Step.Fire f -> fire(f.function(), f.vector());
      case Step.Write w -> {
        var unused =
            functions
                .get(w.function())
                .device()
                .dmaWrite(w.iova(), Integer.toUnsignedLong(w.value()), Integer.BYTES);
      }
      case Step.Forge f -> forge(f, forged);
    }
  }

  private void forge(Step.Forge f, int data) {
    Fn by = functions.get(f.function());
    long at = functions.get(f.of()).vectors().compose(0).address();
    long value = Integer.toUnsignedLong(data);
    if (f.as() == f.function()) {
      var unused = by.device().dmaWrite(at, value, Integer.BYTES);
    } else {
      int id = f.as() < 0 ? 0xffff : functions.get(f.as()).device().requesterId();
      var unused = by.device().forgedWrite(id, at, value, Integer.BYTES);
    }
  }

  private void fire(int function, int vector) {
    Fn f = functions.get(function);
    var unused = f.device().fire(vector % f.vectors().size());
  }

  /// Fires a vector outside of any step.
  Set<Arrival> probe(int function, int vector) {
    arrivals.clear();
    fire(function, vector);
    collect();
    return arrivals();
  }

  /// Lets a function write a word by DMA outside of any step.
  Set<Arrival> probeWrite(int function, long iova, int value) {
    arrivals.clear();
    var unused =
        functions
            .get(function)
            .device()
            .dmaWrite(iova, Integer.toUnsignedLong(value), Integer.BYTES);
    collect();
    return arrivals();
  }

  private void collect() {
    List<MsiFunction> live = functions.stream().map(Fn::vectors).toList();
    for (MsiController c : host.msiControllers()) {
      var unused =
          c.collect(
              (number, cpu) -> arrivals.add(new Arrival(Numbers.intid(live, c, number), cpu)));
    }
  }

  /// {@return the interrupts since the step began}
  Set<Arrival> arrivals() {
    return Set.copyOf(arrivals);
  }

  List<Seen> seen(int function) {
    List<Seen> out = new ArrayList<>();
    for (LiveVector v : functions.get(function).vectors().vectors()) {
      out.add(
          new Seen(
              v.index(),
              v.message().address(),
              v.message().data(),
              v.intid(),
              v.cpu(),
              v.masked()));
    }
    return out;
  }

  /// {@return a word that a function reads by DMA; empty when the access is aborted}
  Optional<Integer> read(int function, long iova) {
    var r = functions.get(function).device().dmaRead(iova, Integer.BYTES);
    return r.outcome() == dev.doorbell.bus.BusOutcome.OK
        ? Optional.of((int) r.value())
        : Optional.empty();
  }

  int memory(int page) {
    return embedded.memory().read32(word(page));
  }

  Domain domain(int index) {
    return domains.get(index);
  }

  boolean isOn(int function) {
    return functions.get(function).vectors().isEnabled();
  }

  List<long[]> table(int function) {
    return functions.get(function).table().map(ShownTable::entries).orElse(List.of());
  }

  /// {@return everything that a refusal must leave alone, in lines}
  List<String> snapshot() {
    List<String> out = new ArrayList<>();
    out.add("bytes in use " + machine.frames().bytesInUse());
    host.msiControllers().forEach(c -> out.add(c.id() + " free " + c.vectorsFree()));
    domains.forEach((i, d) -> {
      out.add("domain " + i + " maps " + d.mappings());
      out.add("domain " + i + " window " + d.msiWindow());
      out.add("domain " + i + " groups " + d.groups());
      out.add("domain " + i + " reserves " + d.reservedRegions());
    });
    for (int i = 0; i < functions.size(); i++) {
      Fn f = functions.get(i);
      out.add(i + " placed " + f.group().placement());
      out.add(i + " vectors " + f.vectors().vectors());
      StringBuilder config = new StringBuilder();
      for (int at = 0; at < CONFIG_SEEN; at += Integer.BYTES) {
        config.append(Integer.toHexString(f.config().read(at, Integer.BYTES))).append(' ');
      }
      out.add(i + " config " + config);
      StringBuilder table = new StringBuilder();
      for (long[] e : table(i)) {
        table.append("%x %x %d; ".formatted(e[0], e[1], e[2]));
      }
      out.add(i + " table " + table);
    }
    return out;
  }

  /// {@return figures that are as at the start when everything has been given back}
  List<String> figures() {
    List<String> out = new ArrayList<>();
    out.add("bytes in use " + machine.frames().bytesInUse());
    host.msiControllers().forEach(c -> out.add(c.id() + " free " + c.vectorsFree()));
    return out;
  }
}
