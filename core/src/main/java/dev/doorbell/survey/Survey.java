package dev.doorbell.survey;

import dev.doorbell.description.FirmwareKind;
import dev.doorbell.description.FunctionDescription;
import dev.doorbell.description.HostBridge;
import dev.doorbell.description.InterruptRemapping;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.explain.Oddity;
import dev.doorbell.explain.Source;
import dev.doorbell.explain.Unseen;
import dev.doorbell.pci.AcsAssumption;
import dev.doorbell.pci.DmaAliases;
import dev.doorbell.pci.Groups;
import dev.doorbell.pci.Groups.Group;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.PciTopology;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.survey.SurveyedFunction.MsiPath;
import dev.doorbell.survey.SurveyedFunction.Stream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Collectors;

/// A machine description thought through. Immutable; made once, in time linear in functions.
public final class Survey {
  /// Functions that a sentence lists by name at most.
  private static final int MOST_NAMED = 16;

  private final MachineDescription machine;
  private final PciTopology topology;
  private final AcsAssumption assumption;
  private final Map<Sbdf, SurveyedFunction> functions = new LinkedHashMap<>();
  private final Identities identities;
  private final List<Group> groups;
  private final Optional<Doubt> iommuDoubt;
  private final Optional<Doubt> controllerDoubt;

  private Survey(MachineDescription machine) {
    this.machine = machine;
    this.topology = topology(machine);
    this.assumption = assumption(machine, topology);
    this.iommuDoubt = Doubt.about(machine, Unseen.Hidden.IOMMUS);
    this.controllerDoubt = Doubt.about(machine, Unseen.Hidden.MSI_CONTROLLERS);
    Map<Sbdf, FunctionDescription> described = new HashMap<>();
    machine.functions().forEach(d -> described.putIfAbsent(d.sbdf(), d));
    for (PciFunction f : topology.functions()) {
      FunctionDescription d = described.get(f.sbdf());
      if (d != null) {
        functions.put(f.sbdf(), survey(d, f));
      }
    }
    this.identities = new Identities(functions.values());
    this.groups = new Partitions(this, identities.ties(machine)).groups();
  }

  public static Survey of(MachineDescription machine) {
    return new Survey(machine);
  }

  public MachineDescription machine() {
    return machine;
  }

  public PciTopology topology() {
    return topology;
  }

  /// {@return how ACS control bits were read}
  public AcsAssumption assumption() {
    return assumption;
  }

  /// {@return every function, in order}
  public List<SurveyedFunction> functions() {
    return List.copyOf(functions.values());
  }

  public Optional<SurveyedFunction> function(Sbdf sbdf) {
    return Optional.ofNullable(functions.get(sbdf));
  }

  /// {@return the groups, derived as Linux derives them, whatever the captured kernel recorded}
  public List<Group> groups() {
    return groups;
  }

  public Optional<Group> group(Sbdf sbdf) {
    return Groups.of(groups, sbdf);
  }

  /// {@return the IOMMU in a function's path}
  public Optional<IommuDescription> iommu(SurveyedFunction f) {
    return f.stream().flatMap(s -> machine.iommu(s.iommu()));
  }

  /// {@return whether every function of a group sends its messages to a controller that looks at who writes; false when one is unknown}
  public boolean isolatedMsi(Group group) {
    return isolation(group).state() == Isolation.State.YES;
  }

  /// {@return whether every function of a group sends its messages to something that looks at who writes, with the fact that decides}
  public Isolation isolation(Group group) {
    List<Isolation> each =
        group.functions().stream().map(functions::get).map(this::isolation).toList();
    return each.stream()
        .filter(i -> i.state() == Isolation.State.NO)
        .findFirst()
        .or(() -> group.functions().stream().flatMap(s -> shared(s).stream()).findFirst())
        .or(() -> each.stream().filter(i -> i.state() == Isolation.State.UNSEEN).findFirst())
        .orElseGet(each::getFirst);
  }

  /// An ITS tells functions apart by their DeviceIDs alone.
  private Optional<Isolation> shared(Sbdf sbdf) {
    SurveyedFunction f = functions.get(sbdf);
    if (f == null || f.msi().isEmpty()) {
      return Optional.empty();
    }
    MsiPath path = f.msi().get();
    for (String id : path.controllers()) {
      if (machine.msiController(id).orElse(null) instanceof MsiControllerDescription.Its) {
        Optional<SurveyedFunction> other =
            identities.at(id, path.deviceId()).stream().filter(o -> areApart(f, o)).findFirst();
        if (other.isPresent()) {
          return Optional.of(
              new Isolation(
                  Isolation.State.NO,
                  "%s has DeviceID 0x%x at %s, as %s of another group has: each can raise the other's vectors"
                      .formatted(sbdf, path.deviceId(), id, other.get().sbdf()),
                  path.source()));
        }
      }
    }
    return Optional.empty();
  }

  /// {@return whether two functions are in different groups, or one of them in none}
  boolean areApart(SurveyedFunction a, SurveyedFunction b) {
    return !a.sbdf().equals(b.sbdf())
        && group(a.sbdf()).map(g -> !g.functions().contains(b.sbdf())).orElse(true);
  }

  /// A function of another group that has one of a function's streams.
  ///
  /// @param stream the shared one, as the other function has it
  public record StreamSharer(SurveyedFunction function, Stream stream) {}

  /// {@return who else would be translated by what is written for a function: functions of other groups with a StreamID of its own}
  public List<StreamSharer> streamSharers(SurveyedFunction f) {
    List<StreamSharer> out = new ArrayList<>();
    for (Stream s : f.streams()) {
      for (SurveyedFunction o : identities.at(s)) {
        if (areApart(f, o)) {
          o.streams().stream()
              .filter(t -> t.iommu().equals(s.iommu()) && t.streamId() == s.streamId())
              .findFirst()
              .ifPresent(t -> out.add(new StreamSharer(o, t)));
        }
      }
    }
    return out;
  }

  /// {@return whether a function can raise its own vectors only, as far as its IOMMU and its MSI controllers decide it}
  public Isolation isolation(SurveyedFunction f) {
    if (f.msi().isEmpty()) {
      return new Isolation(
          Isolation.State.UNSEEN,
          "no MSI controller that firmware describes serves " + f.sbdf(),
          f.description().source());
    }
    Optional<InterruptRemapping> remapping = iommu(f).flatMap(IommuDescription::interruptRemapping);
    for (String id : f.msi().get().controllers()) {
      MsiControllerDescription c = machine.msiController(id).orElse(null);
      if (c == null) {
        return new Isolation(
            Isolation.State.UNSEEN,
            "messages of %s go to %s, which firmware names and does not describe"
                .formatted(f.sbdf(), id),
            f.msi().get().source());
      }
      if (c instanceof MsiControllerDescription.LocalApic) {
        Optional<Isolation> open =
            remapping.isPresent() ? open(remapping.get()) : Optional.of(unremapped(f, c));
        if (open.isPresent()) {
          return open.get();
        }
      } else if (!c.isolated()) {
        return new Isolation(
            Isolation.State.NO,
            "%s does not look at who writes%s"
                .formatted(id, iommu(f).flatMap(IommuDescription::remappedOnly).orElse("")),
            c.source());
      }
    }
    return remapping
        .map(r -> new Isolation(Isolation.State.YES, r.because(), r.source()))
        .orElseGet(() ->
            new Isolation(
                Isolation.State.YES,
                String.join(", ", f.msi().get().controllers()) + " looks at who writes",
                f.msi().get().source()));
  }

  /// {@return why local APICs are not isolated from whoever sends through an IOMMU; empty when they are}
  private static Optional<Isolation> open(InterruptRemapping r) {
    return switch (r.state()) {
      case ON -> Optional.empty();
      case OFF -> Optional.of(new Isolation(Isolation.State.NO, r.because(), r.source()));
      case UNSEEN -> Optional.of(new Isolation(Isolation.State.UNSEEN, r.because(), r.source()));
    };
  }

  /// A local APIC takes whatever is written to it: only an IOMMU in the function's own path looks at who writes, not one of another's.
  private Isolation unremapped(SurveyedFunction f, MsiControllerDescription apic) {
    boolean hidden =
        machine.unseen().stream().anyMatch(u -> u.hides().contains(Unseen.Hidden.IOMMUS));
    return hidden
        ? new Isolation(
            Isolation.State.UNSEEN,
            "which IOMMU is in the path of %s cannot be seen".formatted(f.sbdf()),
            apic.source())
        : new Isolation(
            Isolation.State.NO,
            "no IOMMU that remaps interrupts is in the path of %s".formatted(f.sbdf()),
            f.description().source());
  }

  /// {@return what is odd about the PCI functions and their links}
  public List<Oddity> oddities() {
    List<Oddity> out = new ArrayList<>(topology.oddities());
    topology.functions().forEach(f -> out.addAll(f.oddities()));
    out.addAll(identities.oddities(this));
    return out;
  }

  /// Linux turns ACS on while it enumerates, when an IOMMU was found before: ACPI tables are read early, an IOMMU of a device tree probes
  /// only afterwards, so that control bits of such a machine are final as they are (`pci_request_acs`, Linux 6.12).
  private static AcsAssumption assumption(MachineDescription machine, PciTopology topology) {
    return machine.firmware() == FirmwareKind.DEVICE_TREE
        ? AcsAssumption.AS_CAPTURED
        : AcsAssumption.fitting(topology);
  }

  private static PciTopology topology(MachineDescription machine) {
    List<PciFunction> pci = new ArrayList<>();
    for (FunctionDescription d : machine.functions()) {
      String where = d.source().where();
      pci.add(
          d.physicalFunction()
              .map(pf -> PciFunction.virtual(d.sbdf(), d.config(), where, pf))
              .orElseGet(() -> PciFunction.of(d.sbdf(), d.config(), where)));
    }
    return PciTopology.of(pci);
  }

  private SurveyedFunction survey(FunctionDescription d, PciFunction f) {
    List<Stream> streams = new ArrayList<>();
    int rid = DmaAliases.atRootComplex(topology, f);
    Optional<HostBridge> bridge = machine.hostBridge(d.sbdf());
    if (bridge.isPresent()) {
      for (DmaAliases.Alias alias : DmaAliases.of(topology, f)) {
        stream(machine, bridge.get(), alias).ifPresent(streams::add);
      }
    }
    return new SurveyedFunction(d, f, rid, streams, bridge.flatMap(b -> msi(b, rid)));
  }

  private static Optional<Stream> stream(
      MachineDescription machine, HostBridge bridge, DmaAliases.Alias alias) {
    for (HostBridge.StreamMapping m : bridge.streams()) {
      OptionalInt id = m.streamOf(alias.requesterId());
      if (id.isPresent()) {
        int sent = id.getAsInt();
        int compared = machine.iommu(m.iommu()).map(i -> i.compared(sent)).orElse(sent);
        return Optional.of(
            new Stream(m.iommu(), compared, alias.requesterId(), alias.because(), m.source()));
      }
    }
    return Optional.empty();
  }

  private static Optional<MsiPath> msi(HostBridge bridge, int rid) {
    return bridge
        .msiMapping(rid)
        .map(m -> new MsiPath(m.controllers(), m.deviceIdOf(rid).orElseThrow(), m.source()));
  }

  /// {@return why a function without a StreamID may have one unseen; empty when it has one, or has none for certain}
  public Optional<Doubt> streamDoubt(SurveyedFunction f) {
    return f.stream().isPresent() ? Optional.empty() : iommuDoubt;
  }

  /// {@return why a function without a DeviceID may have one unseen; empty when it has one, or has none for certain}
  public Optional<Doubt> deviceIdDoubt(SurveyedFunction f) {
    return f.msi().isPresent() ? Optional.empty() : controllerDoubt;
  }

  /// {@return what is not known of some functions because what would tell is damaged or not in the input, with the reason}
  public List<Unseen> unseenIdentities(List<SurveyedFunction> of) {
    Map<String, List<SurveyedFunction>> byReason = new LinkedHashMap<>();
    for (SurveyedFunction f : of) {
      Optional<Doubt> stream = streamDoubt(f);
      Optional<Doubt> device = deviceIdDoubt(f);
      stream.ifPresent(d -> noteUnseen(byReason, "StreamID", d, f));
      device.ifPresent(d -> noteUnseen(byReason, "DeviceID", d, f));
    }
    List<Unseen> out = new ArrayList<>();
    byReason.forEach((reason, functions) -> {
      int at = reason.indexOf(' ');
      out.add(
          new Unseen(
              "%s of %s".formatted(reason.substring(0, at), names(functions)),
              reason.substring(at + 1),
              reason.startsWith("StreamID")
                  ? "which IOMMU they are behind, if any, is not known"
                  : "which MSI controller receives their messages is not known"));
    });
    out.addAll(unseenRequesters(of));
    return out;
  }

  /// A bridge to a conventional bus speaks for what lies below it; whether one is such a bridge its capabilities tell.
  private List<Unseen> unseenRequesters(List<SurveyedFunction> of) {
    Map<String, List<SurveyedFunction>> byBridge = new LinkedHashMap<>();
    for (SurveyedFunction f : of) {
      DmaAliases.doubt(topology, f.pci())
          .ifPresent(a -> byBridge.computeIfAbsent(a.because(), _ -> new ArrayList<>()).add(f));
    }
    return byBridge.entrySet().stream()
        .map(e ->
            new Unseen(
                "requester ids of " + names(e.getValue()),
                e.getKey(),
                "they count as those of the functions themselves, as below a PCI Express port"))
        .toList();
  }

  private static void noteUnseen(
      Map<String, List<SurveyedFunction>> byReason, String id, Doubt doubt, SurveyedFunction f) {
    byReason.computeIfAbsent(id + " " + doubt.why(), _ -> new ArrayList<>()).add(f);
  }

  private static String names(List<SurveyedFunction> functions) {
    int more = functions.size() - MOST_NAMED;
    return functions.stream()
            .limit(MOST_NAMED)
            .map(f -> f.sbdf().toString())
            .collect(Collectors.joining(", "))
        + (more > 0 ? " and %d more".formatted(more) : "");
  }

  /// {@return where firmware tells that no IOMMU is in a function's path}
  ///
  /// ACPI says it by an IORT id mapping that leads to the ITS and not to an IOMMU; where the IORT has none for the function, and in a device
  /// tree, by the silence of the root complex.
  ///
  /// **Source**: ARM DEN 0049E.e (IO Remapping Table), 3, id mappings; Devicetree bindings `pci-iommu.txt` (`iommu-map`).
  public Source untranslatedSource(SurveyedFunction f) {
    boolean byIort =
        machine.firmware() == FirmwareKind.ACPI
            && f.msi().stream()
                .flatMap(m -> m.controllers().stream())
                .anyMatch(c ->
                    machine.msiController(c).orElse(null) instanceof MsiControllerDescription.Its);
    return byIort
        ? f.msi().orElseThrow().source()
        : machine.hostBridge(f.sbdf()).map(HostBridge::source).orElse(f.description().source());
  }

  boolean isTranslated(SurveyedFunction f) {
    if (f == null || f.streams().isEmpty()) {
      return false;
    }
    // An IOMMU that is a PCI function is not behind itself.
    return machine.iommus().stream()
        .filter(i -> !(i instanceof IommuDescription.AmdVi))
        .noneMatch(i -> i.ownFunction().map(x -> x.equals(f.sbdf().toString())).orElse(false));
  }
}
