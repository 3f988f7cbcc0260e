package dev.doorbell.host;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Pa;
import dev.doorbell.description.HostBridge;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.description.Undriven;
import dev.doorbell.explain.Source;
import dev.doorbell.hw.aplic.AplicDriver;
import dev.doorbell.hw.hpet.HpetDriver;
import dev.doorbell.hw.ioapic.IoapicDriver;
import dev.doorbell.hw.papr.PaprMsiDriver;
import dev.doorbell.hw.phb.PhbMsiDriver;
import dev.doorbell.hw.xive.XiveDriver;
import dev.doorbell.iommu.DoorbellFrame;
import dev.doorbell.iommu.Iommu;
import dev.doorbell.iommu.IommuGroup;
import dev.doorbell.iommu.IommuGroup.Isolation;
import dev.doorbell.iommu.IommuGroup.Member;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.iommu.Ringers;
import dev.doorbell.irq.Interrupts;
import dev.doorbell.irq.MsiController;
import dev.doorbell.irq.MsiDomain;
import dev.doorbell.irq.MsiRoute;
import dev.doorbell.machine.Machine;
import dev.doorbell.pci.DmaAliases;
import dev.doorbell.pci.Groups.Group;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.survey.Obstacle;
import dev.doorbell.survey.Regions;
import dev.doorbell.survey.Survey;
import dev.doorbell.survey.SurveyedFunction;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;

/// A machine with its drivers started: every function behind an IOMMU is in a group whose accesses are blocked until it is attached to
/// a domain. Safe for use from many threads.
public final class Host {
  private final Machine machine;
  private final Survey survey;
  private final Drivers drivers;
  private final WiredDevices wired;
  private final Regions regions;
  private final Interrupts interrupts;
  private final Ringers ringers = new Ringers();
  private final Map<Sbdf, IommuGroup> groups = new HashMap<>();
  private final Map<Sbdf, HostFunction> functions = new HashMap<>();

  private Host(Machine machine, Survey survey, Drivers drivers) {
    this.machine = machine;
    this.survey = survey;
    this.drivers = drivers;
    this.wired = new WiredDevices(machine, drivers.controllers());
    this.regions = new Regions(survey);
    this.interrupts = Interrupts.of(List.copyOf(drivers.controllers().values()));
    survey.groups().forEach(this::addGroup);
  }

  /// {@return the host of a machine, after its drivers have initialised the hardware}
  public static Host start(Machine machine) {
    return start(machine, HostOptions.USUAL);
  }

  /// The same, with drivers started as wanted.
  ///
  /// @throws dev.doorbell.hw.smmuv3.SmmuUnsupportedException when an SMMU has not the stage that is asked for
  /// @throws dev.doorbell.hw.riscviommu.RiscvIommuUnsupported when a RISC-V IOMMU has not
  public static Host start(Machine machine, HostOptions options) {
    return new Host(machine, Survey.of(machine.description()), Drivers.start(machine, options));
  }

  public Machine machine() {
    return machine;
  }

  public Survey survey() {
    return survey;
  }

  /// {@return the interrupts of this host, and who waits for each}
  public Interrupts interrupts() {
    return interrupts;
  }

  public Optional<Iommu> iommu(String id) {
    return Optional.ofNullable(drivers.iommus().get(id));
  }

  /// {@return the interrupt controller of a POWER machine}
  Optional<XiveDriver> router() {
    return drivers.router();
  }

  public List<MsiController> msiControllers() {
    return List.copyOf(drivers.controllers().values());
  }

  /// {@return the MSI controller of an id, if it is driven}
  public Optional<MsiController> msiController(String id) {
    return Optional.ofNullable(drivers.controllers().get(id));
  }

  /// {@return a function's group; empty when no IOMMU that Doorbell drives is in its path}
  public Optional<IommuGroup> group(Sbdf sbdf) {
    return Optional.ofNullable(groups.get(sbdf));
  }

  /// {@return a function, ready to be given vectors}
  ///
  /// @throws NotAssignable when it is not there, a bridge, or not behind an IOMMU that Doorbell drives
  public synchronized HostFunction function(Sbdf sbdf) {
    SurveyedFunction f = endpoint(sbdf);
    IommuGroup group = groupOf(f);
    return functions.computeIfAbsent(
        sbdf, _ -> HostFunction.open(machine, f, MsiDomain.behind(group, route(f))));
  }

  /// {@return a function with no IOMMU in its path, ready to be given vectors that ring doorbells at their physical addresses (R26)}
  ///
  /// It stays with the host, since nothing keeps its writes from any memory.
  ///
  /// @throws NotAssignable when it is not there, a bridge, or behind an IOMMU, driven or not
  public synchronized HostFunction untranslated(Sbdf sbdf) {
    SurveyedFunction f = endpoint(sbdf);
    if (!f.streams().isEmpty()) {
      SurveyedFunction.Stream s = f.streams().getFirst();
      boolean driven = drivers.iommus().containsKey(s.iommu());
      throw new NotAssignable(
          sbdf.toString(),
          s.iommu(),
          driven
              ? "%s translates its messages".formatted(s.iommu())
              : Undriven.because(survey.machine(), s.iommu()),
          s.source(),
          driven
              ? "attach it to a domain"
              : "choose a function behind an IOMMU that docs/caveats.md lists as driven");
    }
    return functions.computeIfAbsent(
        sbdf, _ -> HostFunction.open(machine, f, MsiDomain.untranslated(route(f), ringers)));
  }

  private SurveyedFunction endpoint(Sbdf sbdf) {
    SurveyedFunction f =
        survey
            .function(sbdf)
            .orElseThrow(() ->
                new NotAssignable(
                    sbdf.toString(),
                    "PCI",
                    "the machine has no such function",
                    Source.rule("description"),
                    "see doorbell inspect"));
    if (f.pci().isBridge()) {
      throw new NotAssignable(
          sbdf.toString(),
          "PCI bridge",
          "it is a bridge or port, which stays with the host",
          f.description().source(),
          "choose an endpoint below it");
    }
    Obstacle.before(survey, f)
        .ifPresent(o -> {
          throw new NotAssignable(sbdf.toString(), o.at(), o.why(), o.source(), o.advice());
        });
    return f;
  }

  /// {@return the driver of an I/O APIC, by the id that firmware gives it}
  ///
  /// @throws NotAssignable when it is not there, or cannot be driven
  synchronized IoapicDriver ioApic(int id) {
    return wired.ioApic(id);
  }

  /// {@return the I/O APICs that are driven}
  synchronized Map<Integer, IoapicDriver> openIoApics() {
    return Map.copyOf(wired.ioApics());
  }

  /// {@return the driver of an APLIC, by its number}
  ///
  /// @throws NotAssignable when it is not there, or cannot be driven
  synchronized AplicDriver aplic(int number) {
    return wired.aplic(number);
  }

  /// {@return the APLICs that are driven}
  synchronized Map<Integer, AplicDriver> openAplics() {
    return Map.copyOf(wired.aplics());
  }

  /// {@return the driver of an HPET, by the number that firmware gives it}
  ///
  /// @throws NotAssignable when it is not there, or cannot be driven
  synchronized HpetDriver hpet(int number) {
    return wired.hpet(number);
  }

  /// Takes what has arrived at the CPUs and hands it to those who wait for it.
  ///
  /// {@return how many interrupts}
  public int poll() {
    return interrupts.collect();
  }

  private IommuGroup groupOf(SurveyedFunction f) {
    IommuGroup group = groups.get(f.sbdf());
    if (group != null) {
      return group;
    }
    Optional<SurveyedFunction.Stream> stream = f.streams().stream().findFirst();
    throw new NotAssignable(
        f.sbdf().toString(),
        stream.map(SurveyedFunction.Stream::iommu).orElse("no IOMMU"),
        stream
            .map(s -> Undriven.because(survey.machine(), s.iommu()))
            .orElse("no IOMMU is in its path"),
        stream.map(SurveyedFunction.Stream::source).orElseGet(() -> survey.untranslatedSource(f)),
        "choose a function behind an IOMMU that docs/caveats.md lists as driven");
  }

  private void addGroup(Group g) {
    List<Member> members = new ArrayList<>();
    for (Sbdf sbdf : g.functions()) {
      SurveyedFunction f = survey.function(sbdf).orElseThrow();
      List<IommuGroup.Stream> streams = new ArrayList<>();
      for (SurveyedFunction.Stream s : f.streams()) {
        Iommu iommu = drivers.iommus().get(s.iommu());
        if (iommu == null) {
          return;
        }
        streams.add(new IommuGroup.Stream(iommu, s.streamId()));
      }
      members.add(new Member(sbdf.toString(), streams, isolation(f)));
    }
    List<ReservedRegion> reserved =
        Stream.concat(
                regions.derived(g.functions()).stream()
                    .filter(r -> r.kind() != ReservedRegion.Kind.SW_MSI),
                unreachable(g))
            .toList();
    IommuGroup group = IommuGroup.of(g.id(), members, g.because(), reserved, ringers);
    g.functions().forEach(sbdf -> groups.put(sbdf, group));
  }

  /// What a root complex does not let through is no place for a mapping or a window.
  private Stream<ReservedRegion> unreachable(Group g) {
    return g.functions().stream()
        .flatMap(f -> survey.machine().hostBridge(f).stream())
        .distinct()
        .flatMap(b ->
            b.unreachable().stream()
                .map(r -> new ReservedRegion(r, ReservedRegion.Kind.RESERVED, b.source())));
  }

  /// A function without an MSI controller raises nothing, and so nothing of others.
  private Isolation isolation(SurveyedFunction f) {
    return f.msi()
        .filter(_ -> absent(f).isEmpty())
        .map(m ->
            new Isolation(
                m.controllers().stream().allMatch(c -> isolates(c, f)),
                String.join(", ", m.controllers()),
                // A source-id means something to one unit only, where it is a StreamID too: sharing
                // one is refused as that. So does a requester id to a host bridge of POWER.
                remapped(m) || ofBridge(m) ? OptionalInt.empty() : OptionalInt.of(m.deviceId()),
                remapped(m) ? survey.isolation(f).source() : m.source()))
        .orElseGet(() ->
            new Isolation(
                true, "no MSI controller", OptionalInt.empty(), f.description().source()));
  }

  private boolean remapped(SurveyedFunction.MsiPath m) {
    return m.controllers().stream().anyMatch(this::isApic);
  }

  private boolean ofBridge(SurveyedFunction.MsiPath m) {
    return m.controllers().stream()
        .flatMap(c -> survey.machine().msiController(c).stream())
        .anyMatch(c ->
            c instanceof MsiControllerDescription.PhbMsi
                || c instanceof MsiControllerDescription.PaprMsi);
  }

  private boolean isApic(String controller) {
    return survey
        .machine()
        .msiController(controller)
        .filter(c -> c instanceof MsiControllerDescription.LocalApic)
        .isPresent();
  }

  /// Local APICs look at nobody: what remaps the function's messages does, or nothing is there.
  private boolean isolates(String controller, SurveyedFunction f) {
    if (isApic(controller)) {
      MsiController driver = drivers.controllerFor(controller, f);
      return driver != null && driver.isolated();
    }
    return survey
        .machine()
        .msiController(controller)
        .map(MsiControllerDescription::isolated)
        .orElse(false);
  }

  /// {@return the doorbells of every MSI controller that Doorbell drives, whoever is behind it}
  List<DoorbellFrame> doorbells() {
    return survey.machine().msiControllers().stream()
        .filter(c -> drivers.controllers().containsKey(c.id()))
        .flatMap(c -> frames(c).stream())
        .toList();
  }

  private static List<DoorbellFrame> frames(MsiControllerDescription c) {
    List<DoorbellFrame> out = new ArrayList<>();
    if (c.doorbell().isEmpty() || c.frame().isEmpty()) {
      return out;
    }
    for (MsiControllerDescription.Doorbell d : c.doorbells()) {
      String name =
          c.doorbells().size() == 1 ? c.id() : "%s of CPU %d".formatted(c.id(), out.size());
      out.add(new DoorbellFrame(name, new Pa(d.address()), d.frame(), c.source()));
    }
    return out;
  }

  /// {@return the controllers that firmware names for a function, when it describes none of them}
  private Optional<String> absent(SurveyedFunction f) {
    return f.msi()
        .filter(m ->
            m.controllers().stream().allMatch(c -> survey.machine().msiController(c).isEmpty()))
        .map(m -> String.join(", ", m.controllers()));
  }

  private Source unservedSource(SurveyedFunction f) {
    return f.msi()
        .map(SurveyedFunction.MsiPath::source)
        .or(() -> survey.machine().hostBridge(f.sbdf()).map(HostBridge::source))
        .orElse(f.description().source());
  }

  /// {@return whether a function's messages can have 32 bits of address only}
  private static boolean isNarrow(SurveyedFunction f) {
    return f.pci().msix().thing().isEmpty()
        && f.pci().msi().thing().map(m -> !m.is64Bit()).orElse(false);
  }

  private static DoorbellFrame lowFrame(String id, SurveyedFunction.MsiPath m) {
    AddressRange window = MsiControllerDescription.PhbMsi.LOW_WINDOW;
    return new DoorbellFrame(id, new Pa(window.start()), window, m.source());
  }

  /// The hypervisor says where messages go when it gives interrupts, and keeps that clear of every window.
  private static DoorbellFrame anywhere(String id, SurveyedFunction.MsiPath m) {
    AddressRange all = MsiControllerDescription.PaprMsi.ANYWHERE;
    return new DoorbellFrame(id, new Pa(all.start()), all, m.source());
  }

  private MsiRoute route(SurveyedFunction f) {
    List<MsiRoute.Target> targets = new ArrayList<>();
    int cpus = drivers.cpus();
    f.msi()
        .ifPresent(m -> {
          for (String id : m.controllers()) {
            MsiController driver = drivers.controllerFor(id, f);
            if (driver instanceof PhbMsiDriver bridge && isNarrow(f)) {
              targets.add(new MsiRoute.Target(bridge.low(), m.deviceId(), lowFrame(id, m)));
            } else if (driver instanceof PaprMsiDriver guest) {
              targets.add(new MsiRoute.Target(guest, m.deviceId(), anywhere(id, m)));
            } else if (driver != null) {
              survey
                  .machine()
                  .msiController(id)
                  .map(Host::frames)
                  .filter(frames -> !frames.isEmpty())
                  .ifPresent(frames ->
                      targets.add(
                          new MsiRoute.Target(
                              driver,
                              m.deviceId(),
                              DmaAliases.lastBus(survey.topology(), f.pci()),
                              frames)));
            }
          }
        });
    return new MsiRoute(targets, cpus, absent(f), unservedSource(f));
  }
}
