package dev.doorbell.doctor;

import dev.doorbell.plan.Plan.Verdict;
import java.util.List;

/// What came of an examination.
///
/// @param verdict one line; unsafe findings are part of its sentence
/// @param findings heaviest first
/// @param functions an answer for each function that was asked about, or for each endpoint
/// @param sawAnything whether the root held anything of a machine at all
public record Diagnosis(
    Verdict verdict, List<Finding> findings, List<FunctionAnswer> functions, boolean sawAnything) {
  public Diagnosis {
    findings = List.copyOf(findings);
    functions = List.copyOf(functions);
  }
}
