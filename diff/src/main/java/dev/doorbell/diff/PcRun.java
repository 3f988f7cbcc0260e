package dev.doorbell.diff;

import java.util.List;
import java.util.Map;

/// A device's write as an IOMMU may take it that has kept nothing but what a view of memory shows.
final class PcRun {
  private final PcIommu iommu;
  private final PcView view;
  private final List<Step.Write> settings;
  private final Step.Message message;
  private final PcOutcome outcome;

  PcRun(PcIommu iommu, PcView view, List<Step.Write> settings, Step.Message message) {
    this.iommu = iommu;
    this.view = view;
    this.settings = settings;
    this.message = message;
    outcome = take(view, message.address());
  }

  Step.Message message() {
    return message;
  }

  PcView view() {
    return view;
  }

  PcOutcome outcome() {
    return outcome;
  }

  /// {@return the last value that software wrote to a register; 0 for none}
  long setting(long address) {
    return settings.stream()
        .filter(w -> w.address() == address)
        .reduce((_, last) -> last)
        .map(Step.Write::value)
        .orElse(0L);
  }

  /// {@return what would come of it if memory held other words}
  PcOutcome with(Map<Long, Long> words) {
    return take(view.with(words), message.address());
  }

  /// {@return what would come of a write to another address}
  PcOutcome at(long address) {
    return take(view.with(Map.of()), address);
  }

  private PcOutcome take(PcView memory, long address) {
    PcModel model = new PcModel(iommu, memory);
    for (Step.Write w : settings) {
      model.write(w.address(), w.value(), w.bytes());
    }
    model.message(message.requester(), address, message.data());
    return see(iommu, model, model.landed());
  }

  /// {@return what a machine shows}
  static PcOutcome see(PcIommu iommu, Rig rig, long landed) {
    String recorded = iommu.recorded(rig, rig.read(iommu.recordings()));
    return new PcOutcome(landed, recorded, rig.interrupts());
  }
}
