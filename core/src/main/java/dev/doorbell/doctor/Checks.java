package dev.doorbell.doctor;

/// One family of checks.
@FunctionalInterface
interface Checks {
  /// Looks at the evidence and writes down what it finds. **Errors**: none; what cannot be seen is a finding.
  void check(Evidence evidence, Chart chart);
}
