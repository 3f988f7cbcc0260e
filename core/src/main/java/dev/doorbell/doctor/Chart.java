package dev.doorbell.doctor;

import dev.doorbell.explain.Source;
import dev.doorbell.pci.Sbdf;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// The findings of one examination, while it goes on. Not thread-safe.
final class Chart {
  private final Set<Finding> findings;
  private final List<Sbdf> functions;

  Chart() {
    this(new LinkedHashSet<>(), List.of());
  }

  private Chart(Set<Finding> findings, List<Sbdf> functions) {
    this.findings = findings;
    this.functions = functions;
  }

  /// {@return this chart, for findings that concern some functions only}
  Chart about(List<Sbdf> some) {
    return new Chart(findings, List.copyOf(some));
  }

  void blocks(String id, String message, Source source, String cure) {
    add(id, Severity.BLOCKS, message, source, cure);
  }

  void unsafe(String id, String message, Source source, String cure) {
    add(id, Severity.UNSAFE, message, source, cure);
  }

  void warns(String id, String message, Source source, String cure) {
    add(id, Severity.WARNS, message, source, cure);
  }

  void unseen(String id, String message, Source source, String cure) {
    add(id, Severity.UNSEEN, message, source, cure);
  }

  void fine(String id, String message, Source source) {
    add(id, Severity.FINE, message, source, "");
  }

  /// @param cure the empty string where there is none
  void add(String id, Severity severity, String message, Source source, String cure) {
    Optional<String> what = cure.isEmpty() ? Optional.empty() : Optional.of(cure);
    findings.add(new Finding(id, severity, message, source, what, functions));
  }

  /// {@return whether something blocks the host as a whole}
  boolean isBlocked() {
    return findings.stream()
        .anyMatch(f -> f.severity() == Severity.BLOCKS && f.functions().isEmpty());
  }

  /// {@return the findings, heaviest first, and in the order of the checks}
  List<Finding> sorted() {
    return findings.stream().sorted(Comparator.comparing(Finding::severity)).toList();
  }
}
