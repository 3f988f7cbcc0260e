package dev.doorbell.cli;

import dev.doorbell.doctor.Diagnosis;
import dev.doorbell.doctor.Finding;
import dev.doorbell.doctor.FunctionAnswer;
import dev.doorbell.pci.Sbdf;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The JSON document of `doctor`.
record DoctorView(List<FindingView> findings, List<AnswerView> functions, String verdict) {
  /// @param functions those that it concerns; empty for all of the host
  record FindingView(
      String id,
      String severity,
      String message,
      String source,
      @Nullable String cure,
      boolean seen,
      List<String> functions) {
    static FindingView of(Finding f) {
      return new FindingView(
          f.id(),
          Json.name(f.severity()),
          f.message(),
          f.source().toString(),
          f.cure().orElse(null),
          f.isSeen(),
          f.functions().stream().map(Sbdf::toString).toList());
    }
  }

  record AnswerView(
      String sbdf,
      String answer,
      String because,
      @Nullable Integer group,
      @Nullable String driver,
      @Nullable String next) {
    static AnswerView of(FunctionAnswer f) {
      return new AnswerView(
          f.sbdf().toString(),
          Json.name(f.answer()),
          f.because(),
          f.group().orElse(null),
          f.driver().orElse(null),
          f.next().orElse(null));
    }
  }

  static DoctorView of(Diagnosis d) {
    return new DoctorView(
        d.findings().stream().map(FindingView::of).toList(),
        d.functions().stream().map(AnswerView::of).toList(),
        d.verdict().toString());
  }
}
