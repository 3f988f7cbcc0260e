package dev.doorbell.diff;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// An access as an IOMMU may take it that has kept nothing but what a view of memory shows.
final class IommuRun {
  private final ComparedIommu iommu;
  private final IommuView view;
  private final List<Step.Write> settings;
  private final Attempt attempt;
  private final IommuOutcome outcome;

  IommuRun(ComparedIommu iommu, IommuView view, List<Step.Write> settings, Attempt attempt) {
    this.iommu = iommu;
    this.view = view;
    this.settings = settings;
    this.attempt = attempt;
    outcome = take(view, attempt);
  }

  Attempt attempt() {
    return attempt;
  }

  IommuView view() {
    return view;
  }

  IommuOutcome outcome() {
    return outcome;
  }

  /// {@return the last value that software wrote to a register; 0 for none}
  long setting(long address) {
    return setting(settings, address);
  }

  /// {@return the last value that software wrote to a register; 0 for none}
  static long setting(List<Step.Write> settings, long address) {
    return settings.stream()
        .filter(w -> w.address() == address)
        .reduce((_, last) -> last)
        .map(Step.Write::value)
        .orElse(0L);
  }

  /// {@return what would come of it if memory held other words}
  IommuOutcome with(Map<Long, Long> words) {
    return take(view.with(words), attempt);
  }

  /// {@return what would come of it if entries were read otherwise}
  IommuOutcome reading(IommuView.Reading reading) {
    return take(view.reading(reading), attempt);
  }

  /// {@return the same of a write to another address}
  IommuOutcome reading(IommuView.Reading reading, long address) {
    return take(view.reading(reading), attempt.at(address));
  }

  /// {@return what would come of a write to another address}
  IommuOutcome at(long address) {
    return as(attempt.at(address));
  }

  /// {@return what would come of another access}
  IommuOutcome as(Attempt other) {
    return take(view.with(Map.of()), other);
  }

  private IommuOutcome take(IommuView memory, Attempt other) {
    IommuRig model = new IommuRig(iommu, memory);
    for (Step.Write w : settings) {
      model.write(w.address(), w.value(), w.bytes());
    }
    long[] before = model.read(iommu.touched(other));
    iommu.perform(other, model);
    return see(iommu, model, other, before, model.landed());
  }

  /// {@return what a machine shows}
  ///
  /// @param before what was in the places that an access may change
  static IommuOutcome see(
      ComparedIommu iommu, Rig rig, Attempt attempt, long[] before, long landed) {
    String recorded = iommu.recorded(rig, attempt, rig.read(iommu.recordings()));
    boolean among =
        iommu.touched(attempt).stream().anyMatch(p -> p.address() == (landed & -Long.BYTES));
    boolean asks = attempt.question().isPresent();
    return new IommuOutcome(
        asks || among ? -1 : landed, recorded, effects(iommu, rig, attempt, before));
  }

  /// {@return what an access did besides; memory is as it was before}
  static List<String> effects(ComparedIommu iommu, Rig rig, Attempt attempt, long[] before) {
    List<Place> touched = iommu.touched(attempt);
    List<String> out = new ArrayList<>();
    if (!touched.isEmpty()) {
      long[] after = rig.read(touched);
      for (int i = 0; i < after.length; i++) {
        if (after[i] != before[i]) {
          out.add(effect(touched.get(i).address(), after[i]));
          rig.store(touched.get(i).address(), List.of(before[i]));
        }
      }
    }
    out.addAll(rig.interrupts());
    return out;
  }

  /// {@return that a doubleword changed}
  static String effect(long address, long value) {
    return "0x%x at 0x%x".formatted(value, address);
  }
}
