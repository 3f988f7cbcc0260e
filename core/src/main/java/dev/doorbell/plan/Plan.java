package dev.doorbell.plan;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.Arch;
import dev.doorbell.explain.Unseen;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// The answer to: will it work, and where must the window be?
///
/// @param arch family of the machine, and so of the guests that it can run
/// @param window empty when no controller's doorbell needs a mapping
/// @param ram a guest memory map that meets nothing it must not
/// @param regions IOVAs that guest RAM had to keep clear of
public record Plan(
    Arch arch,
    List<Subject> subjects,
    Optional<WindowPlan> window,
    List<AddressRange> ram,
    List<Thing> regions,
    List<LedgerLine> ledger,
    List<Conflict> conflicts,
    List<Unseen> unseen,
    Verdict verdict) {

  /// The verdict with its reason.
  ///
  /// @param answer yes, no, or conditional on what could not be seen
  /// @param because the deciding fact
  public record Verdict(Answer answer, String because) {
    @Override
    public String toString() {
      return answer.name().toLowerCase(Locale.ROOT) + ": " + because;
    }
  }

  /// Whether it will work.
  public enum Answer {
    YES,
    NO,
    CONDITIONAL
  }

  public Plan {
    subjects = List.copyOf(subjects);
    ram = List.copyOf(ram);
    regions = List.copyOf(regions);
    ledger = List.copyOf(ledger);
    conflicts = List.copyOf(conflicts);
    unseen = List.copyOf(unseen);
  }

  /// {@return this plan with other words for its conflicts; a no is said in those of the first that stands against it}
  public Plan withConflicts(List<Conflict> told) {
    Verdict same =
        told.stream()
            .filter(c -> verdict.answer() == Answer.NO && c.blocks())
            .findFirst()
            .map(c -> new Verdict(Answer.NO, c.message()))
            .orElse(verdict);
    return new Plan(arch, subjects, window, ram, regions, ledger, told, unseen, same);
  }
}
