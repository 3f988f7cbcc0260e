package dev.doorbell.survey;

import dev.doorbell.description.FirmwareKind;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.explain.Oddity;
import dev.doorbell.explain.Source;
import dev.doorbell.explain.Unseen;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Why a thing that was not found may be there all the same: what would name it is damaged, or is not in the input. Immutable.
public sealed interface Doubt {
  /// The tables that name such a thing, the one that must be there first.
  Map<Unseen.Hidden, List<String>> NAMED_BY =
      Map.of(
          Unseen.Hidden.IOMMUS, List.of("IORT", "VIOT", "DMAR", "IVRS", "RIMT", "fdt"),
          Unseen.Hidden.MSI_CONTROLLERS, List.of("APIC", "IORT", "fdt"));

  /// {@return the reason in words; lower case, no period}
  String why();

  /// {@return what would tell}
  Source source();

  /// Something that was read is damaged.
  record Damaged(Oddity oddity) implements Doubt {
    @Override
    public String why() {
      return "%s (%s)".formatted(oddity.message(), oddity.source());
    }

    @Override
    public Source source() {
      return oddity.source();
    }
  }

  /// Something is not in the input.
  ///
  /// @param source where it would be
  record Lacking(Unseen unseen, Source source) implements Doubt {
    @Override
    public String why() {
      return unseen.why();
    }
  }

  /// {@return the reason why things of a kind may be there unseen; empty when what is not found is not there}
  static Optional<Doubt> about(MachineDescription machine, Unseen.Hidden thing) {
    List<String> tables = NAMED_BY.getOrDefault(thing, List.of());
    return damaged(machine, tables.subList(0, 1))
        .or(() -> lacking(machine, thing))
        .or(() -> damaged(machine, tables));
  }

  private static Optional<Doubt> damaged(MachineDescription machine, List<String> tables) {
    return machine.oddities().stream()
        .filter(o -> o.mayHideFacts() && isIn(tables, o))
        .findFirst()
        .map(Damaged::new);
  }

  private static Optional<Doubt> lacking(MachineDescription machine, Unseen.Hidden thing) {
    String where =
        machine.firmware() == FirmwareKind.ACPI ? "sys/firmware/acpi/tables" : "sys/firmware";
    return machine.unseen().stream()
        .filter(u -> u.hides().contains(thing))
        .findFirst()
        .map(u -> new Lacking(u, Source.file(where)));
  }

  private static boolean isIn(List<String> tables, Oddity o) {
    String where = o.source().where();
    String file = where.substring(Math.max(where.lastIndexOf('/'), where.lastIndexOf(':')) + 1);
    return tables.stream().anyMatch(file::startsWith);
  }
}
