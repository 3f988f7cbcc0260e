package dev.doorbell.cli;

import dev.doorbell.cli.Json.ErrorView;
import dev.doorbell.linux.KernelInterrupt;
import dev.doorbell.linux.ProgrammedVector;
import dev.doorbell.plan.Plan;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The JSON document of `assign --on linux`: that of `assign`, and what the kernel adds.
///
/// @param access by which of the kernel's interfaces; null when nothing was opened
/// @param left what is not as it was before, a sentence each
record LinuxAssignView(
    PlanView plan,
    List<VectorView> vectors,
    @Nullable ErrorView refusal,
    @Nullable String access,
    List<String> left) {
  /// What cannot be seen is null.
  ///
  /// @param address as programmed
  /// @param iova what the IOMMU is asked to translate
  /// @param doorbell where the table leads; the kernel keeps that to itself, and so this is null
  /// @param intid the kernel does not tell it in these files, and so this is null
  /// @param cpu where the kernel sends it; null when that is not one processor
  /// @param delivered whether it was counted at least once
  /// @param count signals that arrived here
  /// @param kernelCount interrupts that the kernel took
  record VectorView(
      String sbdf,
      int vector,
      @Nullable String address,
      @Nullable Integer data,
      @Nullable String iova,
      @Nullable String doorbell,
      @Nullable Integer intid,
      @Nullable Integer cpu,
      boolean delivered,
      long count,
      @Nullable Long kernelCount,
      @Nullable Integer irq,
      @Nullable String chip,
      @Nullable Boolean predicted,
      @Nullable String unseen) {
    static VectorView of(LinuxVectorState v) {
      ProgrammedVector p = v.programmed();
      KernelInterrupt i = v.interrupt();
      return new VectorView(
          v.function().toString(),
          v.vector(),
          p == null ? null : Json.hex(p.address()),
          p == null ? null : Integer.valueOf(p.data()),
          p == null ? null : Json.hex(p.address()),
          null,
          null,
          cpu(i),
          v.count() > 0,
          v.count(),
          v.kernelCount().isPresent() ? v.kernelCount().getAsLong() : null,
          i == null ? null : Integer.valueOf(i.irq()),
          i == null ? null : i.chip(),
          predicted(v.asPredicted()),
          v.unseen().isEmpty() ? null : v.unseen());
    }

    private static @Nullable Integer cpu(@Nullable KernelInterrupt i) {
      return i == null || !i.cpus().matches("\\d{1,6}") ? null : Integer.valueOf(i.cpus());
    }

    private static @Nullable Boolean predicted(String told) {
      return told.equals("-") ? null : Boolean.valueOf(told.equals("yes"));
    }
  }

  static LinuxAssignView of(Plan plan, LinuxAssign.Outcome o) {
    return new LinuxAssignView(
        PlanView.of(plan),
        o.vectors().stream().map(VectorView::of).toList(),
        o.refusal().map(ErrorView::of).orElse(null),
        o.access().map(Json::name).orElse(null),
        o.left());
  }
}
