package dev.doorbell.plan;

import dev.doorbell.description.HostBridge;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.pci.Groups.Group;
import dev.doorbell.pci.MsiCapability;
import dev.doorbell.pci.MsixCapability;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.pci.Seen;
import dev.doorbell.plan.Subject.Mate;
import dev.doorbell.plan.Subject.Namesake;
import dev.doorbell.survey.Obstacle;
import dev.doorbell.survey.Regions;
import dev.doorbell.survey.Survey;
import dev.doorbell.survey.SurveyedFunction;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/// Gathers what a plan depends on from a survey.
public final class Subjects {
  private final Survey survey;
  private final Regions regions;

  public Subjects(Survey survey) {
    this.survey = survey;
    this.regions = new Regions(survey);
  }

  /// {@return a function as a subject, if the machine has it}
  public Optional<Subject> of(Sbdf sbdf) {
    return survey.function(sbdf).map(this::subject);
  }

  private Subject subject(SurveyedFunction f) {
    PciFunction pci = f.pci();
    Seen<MsiCapability> msi = pci.msi();
    Seen<MsixCapability> msix = pci.msix();
    Optional<HostBridge> bridge = survey.machine().hostBridge(f.sbdf());
    return new Subject(
        f.sbdf(),
        survey.iommu(f),
        controllers(f),
        Obstacle.before(survey, f),
        msi.thing().map(m -> new Subject.Msi(m.size(), m.is64Bit())),
        msix.thing().map(m -> OptionalInt.of(m.vectors())).orElse(OptionalInt.empty()),
        msi.isThere() || msix.isThere() || !(msi.isNotVisible() || msix.isNotVisible()),
        mates(f),
        namesakes(f),
        sharers(f),
        bridge.map(HostBridge::dmaBits).orElse(OptionalInt.empty()),
        reserved(f),
        f.description().source());
  }

  private List<MsiControllerDescription> controllers(SurveyedFunction f) {
    return f.msi().stream()
        .flatMap(m -> m.controllers().stream())
        .flatMap(id -> survey.machine().msiController(id).stream())
        .toList();
  }

  /// A group is attached as a whole: a StreamID that any of its functions shares counts.
  private List<Subject.StreamSharer> sharers(SurveyedFunction f) {
    List<Sbdf> group = survey.group(f.sbdf()).map(Group::functions).orElse(List.of(f.sbdf()));
    return group.stream()
        .flatMap(m -> survey.function(m).stream())
        .flatMap(m ->
            survey.streamSharers(m).stream()
                .map(s ->
                    new Subject.StreamSharer(
                        m.sbdf(),
                        s.function().sbdf(),
                        s.stream().iommu(),
                        s.stream().streamId(),
                        s.stream().source())))
        .toList();
  }

  private List<Mate> mates(SurveyedFunction f) {
    Optional<Group> group = survey.group(f.sbdf());
    if (group.isEmpty()) {
      return List.of();
    }
    String because = String.join("; ", group.get().because());
    return group.get().functions().stream()
        .filter(s -> !s.equals(f.sbdf()))
        .flatMap(s -> survey.function(s).stream())
        .map(m ->
            new Mate(
                m.sbdf(), m.description().driver(), m.pci().isBridge(), isAssignable(m), because))
        .toList();
  }

  private List<Namesake> namesakes(SurveyedFunction f) {
    if (f.msi().isEmpty()) {
      return List.of();
    }
    int id = f.msi().get().deviceId();
    Optional<Group> group = survey.group(f.sbdf());
    return survey.functions().stream()
        .filter(o -> !o.sbdf().equals(f.sbdf()))
        .filter(o -> group.map(g -> !g.functions().contains(o.sbdf())).orElse(true))
        .filter(o -> o.msi().map(m -> m.deviceId() == id).orElse(false))
        .filter(o -> !remapsApart(f, o))
        .map(o -> {
          SurveyedFunction.MsiPath path = o.msi().orElseThrow();
          return new Namesake(
              o.sbdf(),
              id,
              path.controllers(),
              o.description().driver(),
              isAssignable(o),
              path.source());
        })
        .toList();
  }

  /// Whether a function could go to a guest as far as it alone decides: no bridge, to PCI or to the host, behind an IOMMU, and with something to
  /// send.
  private boolean isAssignable(SurveyedFunction f) {
    PciFunction pci = f.pci();
    boolean mute =
        !pci.msi().isThere()
            && !pci.msix().isThere()
            && !pci.msi().isNotVisible()
            && !pci.msix().isNotVisible();
    return !pci.isBridge()
        && !pci.isHostBridge()
        && survey.iommu(f).filter(i -> !(i instanceof IommuDescription.Other)).isPresent()
        && !mute;
  }

  /// On x86 each IOMMU looks requester ids up in tables of its own segment: equal ones of two segments are two devices.
  private boolean remapsApart(SurveyedFunction a, SurveyedFunction b) {
    return a.sbdf().segment() != b.sbdf().segment()
        && survey.iommu(a).flatMap(IommuDescription::interruptRemapping).isPresent();
  }

  /// The kernel's record comes first: where it has a window of its own, that one counts.
  private List<ReservedRegion> reserved(SurveyedFunction f) {
    List<Sbdf> group = survey.group(f.sbdf()).map(Group::functions).orElse(List.of(f.sbdf()));
    List<ReservedRegion> out = new ArrayList<>(regions.recorded(group));
    for (ReservedRegion r : regions.derived(group)) {
      if (r.kind() != ReservedRegion.Kind.SW_MSI) {
        out.add(r);
      }
    }
    return out;
  }
}
