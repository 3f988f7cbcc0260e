package dev.doorbell.cli;

import dev.doorbell.address.Granule;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.plan.Plan;
import dev.doorbell.plan.WindowPlan;
import dev.doorbell.survey.Survey;
import dev.doorbell.survey.SurveyedFunction;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/// What Linux will program a function's vectors with, said before anything is touched.
///
/// Where Linux maps doorbells itself, it takes places of its window from the start on; the address is the place plus the doorbell's offset in
/// its page. An ITS numbers a device's events from 0. What else it programs is its own choice at that moment.
///
/// **Source**: Linux `drivers/iommu/dma-iommu.c` (`iommu_dma_get_msi_page`), `drivers/irqchip/irq-gic-v3-its.c`
///
/// @param address of every vector's message; empty where it cannot be told
/// @param dataIsVector whether the datum is the vector's number
/// @param why in a sentence
record LinuxPrediction(OptionalLong address, boolean dataIsVector, String why) {
  /// @param region where messages go, by the kernel's record; empty when it has none yet
  static LinuxPrediction of(
      Survey survey, Plan plan, SurveyedFunction f, Optional<ReservedRegion> region) {
    List<MsiControllerDescription> controllers =
        f.msi().stream()
            .flatMap(m -> m.controllers().stream())
            .flatMap(id -> survey.machine().msiController(id).stream())
            .toList();
    if (controllers.isEmpty()) {
      return new LinuxPrediction(
          OptionalLong.empty(), false, "firmware names no MSI controller that could be read");
    }
    boolean its = controllers.getFirst() instanceof MsiControllerDescription.Its;
    if (region.isPresent() && region.get().kind() == ReservedRegion.Kind.MSI) {
      return new LinuxPrediction(
          OptionalLong.empty(),
          its,
          "an address in %s, which no table translates; the kernel chooses the entry"
              .formatted(region.get().range()));
    }
    Optional<WindowPlan> window = plan.window();
    if (window.isEmpty()) {
      OptionalLong doorbell = controllers.getFirst().doorbell();
      return new LinuxPrediction(
          doorbell, its, "nothing translates the message: it carries the doorbell's own address");
    }
    WindowPlan w = window.get();
    long start = region.map(r -> r.range().start()).orElse(w.range().start());
    OptionalLong doorbell = controllers.getFirst().doorbell();
    if (w.doorbells().size() != 1 || doorbell.isEmpty()) {
      return new LinuxPrediction(
          OptionalLong.empty(),
          its,
          "one of %d places from 0x%x on, in the order of first use"
              .formatted(w.doorbells().size(), start));
    }
    Granule granule = w.granule();
    return new LinuxPrediction(
        OptionalLong.of(start + granule.offset(doorbell.getAsLong())),
        its,
        "%s's doorbell %s in the first place of the kernel's window"
            .formatted(controllers.getFirst().id(), Json.hex(doorbell.getAsLong())));
  }

  /// {@return the prediction in words}
  String text() {
    String data = dataIsVector ? "the vector's number" : "the kernel's choice";
    return address.isPresent()
        ? "address %s, data %s: %s".formatted(Json.hex(address.getAsLong()), data, why)
        : "address %s; data %s".formatted(why, data);
  }
}
