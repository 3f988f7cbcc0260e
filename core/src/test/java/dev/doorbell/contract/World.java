package dev.doorbell.contract;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.contract.Progress.Seen;
import dev.doorbell.contract.Reference.Arrival;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.host.Host;
import dev.doorbell.host.HostFunction;
import dev.doorbell.hw.pcie.EndpointModel;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Domain;
import dev.doorbell.iommu.DomainPolicy;
import dev.doorbell.iommu.Iommu;
import dev.doorbell.iommu.IommuGroup;
import dev.doorbell.iommu.Protection;
import dev.doorbell.iommu.Ringers;
import dev.doorbell.irq.MsiController;
import dev.doorbell.irq.MsiDomain;
import dev.doorbell.irq.MsiFunction;
import dev.doorbell.irq.MsiMessage;
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
  private static final int MOST_ROUNDS = 8;

  /// Where the embedded machine has RAM that no tree tells of.
  private static final long RAM_WHERE_UNSEEN = 1L << 30;

  final Facts facts;
  private final EmbeddedMachine embedded;
  private final long arena;
  private final Sample.Rules rules;
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

  World(MachineDescription description, List<Sbdf> chosen, Sample.Rules rules, Wiring wiring) {
    embedded = EmbeddedMachine.of(description);
    this.rules = rules;
    this.wiring = wiring;
    machine = wiring.machine(embedded);
    host = Host.start(machine);
    arena =
        description.memory().stream()
                .mapToLong(m -> m.range().start())
                .findFirst()
                .orElse(RAM_WHERE_UNSEEN)
            + (16L << 20);
    List<Facts.Function> known = new ArrayList<>();
    for (Sbdf s : chosen) {
      Fn f = open(s);
      functions.add(f);
      known.add(factsOf(s, f));
    }
    facts =
        new Facts(
            known,
            iommuList.size(),
            functions.getFirst().route().cpus(),
            iommuList.getFirst().capabilities().granules().stream()
                .filter(g -> g.compareTo(Granule.K64) <= 0)
                .map(this::tables)
                .toList(),
            rules.windows(),
            rules.hitless(),
            rules.byBridge(),
            rules.base(),
            arena);
    for (int i = 0; i < Facts.PAGES; i++) {
      embedded.memory().write32(word(i), 0xca0a_0000 | i);
    }
  }

  /// No step maps as much as a larger page.
  private Facts.Tables tables(Granule granule) {
    try (AddressSpace s = iommuList.getFirst().createAddressSpace(granule)) {
      return new Facts.Tables(granule.shift(), s.iovas());
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
                    real.reserved().stream(),
                    ExtraRegions.of(functions.size(), rules.base(), arena, rules.windows() == 0)
                        .stream())
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
        t.doorbells().stream()
            .map(d -> new Facts.Door(d.doorbell().value(), d.frame().start(), d.frame().last()))
            .toList(),
        !f.group().bypassesTranslation(t.doorbells().getFirst()),
        t.controller().isolated(),
        t.controller().vectorsFree(),
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
  /// @param vector whose message is forged, where the step forges one
  /// {@return the name of the refusal; empty when it was done}
  String apply(Step step, int vector) {
    arrivals.clear();
    String refusal = "";
    try {
      run(step, vector);
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

  private void run(Step step, int vector) {
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
      case Step.Forge f -> forge(f, vector);
    }
  }

  private void forge(Step.Forge f, int vector) {
    Fn by = functions.get(f.function());
    MsiMessage message = functions.get(f.of()).vectors().compose(vector);
    long at = message.address();
    long value = Integer.toUnsignedLong(message.data());
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
    int arrived = 1;
    // What a source had queued behind an event comes when that is ended.
    for (int round = 0; arrived > 0; round++) {
      Check.that(round < MOST_ROUNDS, () -> "interrupts without end: " + arrivals);
      arrived = 0;
      for (MsiController c : host.msiControllers()) {
        arrived +=
            c.collect((number, cpu) ->
                arrivals.add(new Arrival(c.id(), Numbers.intid(live, c, number), cpu)));
      }
    }
    StoppedBridges.goOn(iommuList, functions);
  }

  /// {@return the interrupts since the step began}
  Set<Arrival> arrivals() {
    return Set.copyOf(arrivals);
  }

  List<Seen> seen(int function) {
    return functions.get(function).seen();
  }

  /// {@return a word that a function reads by DMA; empty when the access is aborted}
  Optional<Integer> read(int function, long iova) {
    var r = functions.get(function).device().dmaRead(iova, Integer.BYTES);
    if (r.outcome() == BusOutcome.OK) {
      return Optional.of((int) r.value());
    }
    StoppedBridges.goOn(iommuList, functions);
    return Optional.empty();
  }

  int memory(int page) {
    return embedded.memory().read32(word(page));
  }

  Domain domain(int index) {
    return domains.get(index);
  }

  List<long[]> entries(int function) {
    return functions.get(function).entries();
  }

  boolean isOn(int function) {
    return functions.get(function).vectors().isEnabled();
  }

  /// {@return everything that a refusal must leave alone, in lines}
  List<String> snapshot() {
    return Snapshot.everything(machine, host, domains, functions);
  }

  /// {@return figures that are as at the start when everything has been given back}
  List<String> figures() {
    return Snapshot.figures(machine, host);
  }
}
