package dev.doorbell.cli;

import dev.doorbell.description.MachineDescription;
import dev.doorbell.explain.Oddity;
import dev.doorbell.plan.Conflict;
import dev.doorbell.plan.Plan;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Tells "it is not there" from "the table that would say so is damaged": the second is no verdict but input that cannot be used.
final class Damage {
  private static final Set<String> NEEDS_FIRMWARE = Set.of("NoIommu", "NoMsiController");
  private static final List<String> TABLES = List.of("IORT", "VIOT", "APIC", "fdt");

  private Damage() {}

  /// @throws UnusableInput when a plan says no because of a fact that a damaged table keeps back
  static void check(MachineDescription machine, Plan plan) {
    Optional<Conflict> missing =
        plan.conflicts().stream().filter(c -> NEEDS_FIRMWARE.contains(c.kind())).findFirst();
    Optional<Oddity> damage = machine.oddities().stream().filter(Damage::hidesFacts).findFirst();
    if (missing.isPresent() && damage.isPresent()) {
      Oddity o = damage.get();
      throw new UnusableInput(
          "UnreadableTable",
          "%s, but that may only be unread: %s (%s)"
              .formatted(missing.get().message(), o.message(), o.source()),
          "give a capture whose " + o.source().where() + " is whole");
    }
  }

  private static boolean hidesFacts(Oddity o) {
    String where = o.source().where();
    String file = where.substring(where.lastIndexOf('/') + 1);
    return TABLES.stream().anyMatch(file::startsWith) && o.mayHideFacts();
  }
}
