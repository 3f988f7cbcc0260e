package dev.doorbell.cli;

import dev.doorbell.description.MachineDescription;
import dev.doorbell.explain.Oddity;
import dev.doorbell.explain.Unseen;
import dev.doorbell.plan.Conflict;
import dev.doorbell.plan.Plan;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Tells "it is not there" from "what would say so is damaged or not in the capture": the second is no verdict but input that cannot be used.
final class Damage {
  /// What a conflict says is not there.
  private static final Map<String, Unseen.Hidden> ABSENT =
      Map.of("NoIommu", Unseen.Hidden.IOMMUS, "NoMsiController", Unseen.Hidden.MSI_CONTROLLERS);

  /// The tables that name such a thing, the one that must be there first.
  private static final Map<Unseen.Hidden, List<String>> NAMED_BY =
      Map.of(
          Unseen.Hidden.IOMMUS, List.of("IORT", "VIOT", "DMAR", "IVRS", "fdt"),
          Unseen.Hidden.MSI_CONTROLLERS, List.of("APIC", "IORT", "fdt"));

  private Damage() {}

  /// A verdict with at least one certain reason stands, whatever else could not be seen.
  ///
  /// @throws UnusableInput when a plan says no only because of facts that the input keeps back
  static void check(MachineDescription machine, Plan plan) {
    List<Conflict> reasons = plan.conflicts().stream().filter(Conflict::blocks).toList();
    List<UnusableInput> doubts = reasons.stream().flatMap(c -> doubt(machine, c).stream()).toList();
    if (!reasons.isEmpty() && doubts.size() == reasons.size()) {
      throw doubts.getFirst();
    }
  }

  private static Optional<UnusableInput> doubt(MachineDescription machine, Conflict c) {
    Unseen.Hidden thing = ABSENT.get(c.kind());
    if (thing == null) {
      return Optional.empty();
    }
    List<String> tables = NAMED_BY.getOrDefault(thing, List.of());
    return damaged(machine, c, tables.subList(0, 1))
        .or(() -> lacking(machine, c, thing))
        .or(() -> damaged(machine, c, tables));
  }

  private static Optional<UnusableInput> damaged(
      MachineDescription machine, Conflict c, List<String> tables) {
    return machine.oddities().stream()
        .filter(o -> o.mayHideFacts() && isIn(tables, o))
        .findFirst()
        .map(o ->
            new UnusableInput(
                "UnreadableTable",
                "%s, but that may only be unread: %s (%s)"
                    .formatted(c.message(), o.message(), o.source()),
                "give a capture whose " + o.source().where() + " is whole"));
  }

  private static Optional<UnusableInput> lacking(
      MachineDescription machine, Conflict c, Unseen.Hidden thing) {
    return machine.unseen().stream()
        .filter(u -> u.hides().contains(thing))
        .findFirst()
        .map(u ->
            new UnusableInput(
                "NotInCapture",
                "%s as far as the capture shows, but %s, so %s"
                    .formatted(c.message(), u.why(), u.consequence()),
                "give a sysroot that has the " + u.what()));
  }

  private static boolean isIn(List<String> tables, Oddity o) {
    String where = o.source().where();
    String file = where.substring(Math.max(where.lastIndexOf('/'), where.lastIndexOf(':')) + 1);
    return tables.stream().anyMatch(file::startsWith);
  }
}
