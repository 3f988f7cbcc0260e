package dev.doorbell.cli;

import dev.doorbell.description.MachineDescription;
import dev.doorbell.explain.Unseen;
import dev.doorbell.pci.MsixCapability;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.pci.Seen;
import dev.doorbell.plan.Conflict;
import dev.doorbell.plan.Plan;
import dev.doorbell.survey.Doubt;
import dev.doorbell.survey.Obstacle;
import dev.doorbell.survey.Survey;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/// Tells "it is not there" from "what would say so is damaged or not in the capture": the second is no verdict but input that cannot be used.
final class Damage {
  /// What a conflict says is not there.
  private static final Map<String, Unseen.Hidden> ABSENT =
      Map.of("NoIommu", Unseen.Hidden.IOMMUS, "NoMsiController", Unseen.Hidden.MSI_CONTROLLERS);

  private Damage() {}

  /// {@return the plan, whose doubtful conflicts say why they are; a verdict with at least one certain reason stands, whatever else could not be
  /// seen}
  ///
  /// @throws UnusableInput when a plan says no only because of facts that the input keeps back
  static Plan check(MachineDescription machine, Plan plan) {
    List<Conflict> reasons = plan.conflicts().stream().filter(Conflict::blocks).toList();
    List<UnusableInput> doubts = reasons.stream().flatMap(c -> doubt(machine, c).stream()).toList();
    if (!reasons.isEmpty() && doubts.size() == reasons.size()) {
      throw doubts.getFirst();
    }
    return doubts.isEmpty()
        ? plan
        : plan.withConflicts(plan.conflicts().stream().map(c -> doubtful(machine, c)).toList());
  }

  private static Conflict doubtful(MachineDescription machine, Conflict c) {
    return doubt(machine, c)
        .map(d ->
            new Conflict(
                c.kind(),
                c.a(),
                c.b(),
                c.blocks(),
                Objects.requireNonNullElse(d.getMessage(), c.message()),
                c.advice()))
        .orElse(c);
  }

  /// A function of whose configuration space the part with MSI and MSI-X is not there has neither for all one can see.
  ///
  /// @throws UnusableInput when that is so of one of the functions
  static void requireCapabilities(Survey survey, List<Sbdf> functions) {
    for (Sbdf sbdf : functions) {
      PciFunction pci = survey.function(sbdf).orElseThrow().pci();
      if (!pci.msi().isThere()
          && !pci.msix().isThere()
          && pci.msix() instanceof Seen.NotVisible<MsixCapability>(String why)) {
        throw new UnusableInput(
            "NotInCapture",
            "whether %s has MSI or MSI-X cannot be seen: %s".formatted(sbdf, why),
            "capture it as root, which reads configuration space whole; or plan with a what-if function (--with)");
      }
    }
  }

  /// A capture that puts a function's MSI-X table where nothing leads contradicts itself.
  ///
  /// @throws UnusableInput when that is so of one of the functions
  static void requireTables(Survey survey, List<Sbdf> functions) {
    for (Sbdf sbdf : functions) {
      Obstacle.beforeTable(survey, survey.function(sbdf).orElseThrow())
          .ifPresent(o -> {
            throw new UnusableInput(
                "UnusableDescription", "%s (%s)".formatted(o.why(), o.source()), o.advice());
          });
    }
  }

  private static Optional<UnusableInput> doubt(MachineDescription machine, Conflict c) {
    Unseen.Hidden thing = ABSENT.get(c.kind());
    if (thing == null) {
      return Optional.empty();
    }
    return Doubt.about(machine, thing).map(d -> unusable(c.message(), d));
  }

  /// {@return the error that a doubt is, for a command that needs the fact}
  ///
  /// @param found what was found instead; lower case, no period
  static UnusableInput unusable(String found, Doubt doubt) {
    return switch (doubt) {
      case Doubt.Damaged d ->
          new UnusableInput(
              "UnreadableTable",
              "%s, but that may only be unread: %s".formatted(found, d.why()),
              "give a capture whose " + d.source().where() + " is whole");
      case Doubt.Lacking l ->
          new UnusableInput(
              "NotInCapture",
              "%s as far as the capture shows, but %s, so %s"
                  .formatted(found, l.why(), l.unseen().consequence()),
              "give a sysroot that has the " + l.unseen().what());
    };
  }
}
