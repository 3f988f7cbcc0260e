package dev.doorbell.machine;

import dev.doorbell.bus.Translator;
import dev.doorbell.description.ApicDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.hw.ioapic.IoapicModel;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Builds the I/O APICs of an x86 machine and puts them on the bus, each with its messages led to the IOMMU that firmware names for it.
final class IoapicModels {
  private static final int USUAL_PINS = 24;

  private IoapicModels() {}

  /// {@return models by the id that firmware gives them}
  ///
  /// Of those whose registers are not told or lie where something else is, and of those behind an IOMMU that firmware tells no source-id for,
  /// there are none.
  static Map<Integer, IoapicModel> build(
      MachineDescription machine, Map<String, Translator> iommus, SystemMap bus) {
    Map<Integer, IoapicModel> out = new HashMap<>();
    List<ApicDescription.IoApic> all =
        machine.apic().stream().flatMap(a -> a.ioApics().stream()).toList();
    for (ApicDescription.IoApic a : all) {
      if (a.registers().filter(bus::isFree).isEmpty()) {
        continue;
      }
      WiredMessages.of(iommus, bus, a.iommu(), a.sourceId())
          .ifPresent(m -> {
            IoapicModel model = new IoapicModel(pins(a, all), m::send);
            rest(machine.apic().orElseThrow(), a, model, pins(a, all));
            bus.add("I/O APIC " + a.apicId(), a.registers().orElseThrow(), model);
            out.put(a.apicId(), model);
          });
    }
    return out;
  }

  /// Lines that are active when they are low are high as long as nothing drives them.
  private static void rest(
      ApicDescription apic, ApicDescription.IoApic a, IoapicModel model, int pins) {
    for (int pin = 0; pin < pins; pin++) {
      model.drive(pin, apic.signal(a.gsiBase() + pin).low());
    }
  }

  /// As many as lie before the next one's first interrupt; 24 for the last, as most have.
  private static int pins(ApicDescription.IoApic a, List<ApicDescription.IoApic> all) {
    long most =
        all.stream()
            .mapToLong(b -> b.gsiBase() - a.gsiBase())
            .filter(distance -> distance > 0)
            .min()
            .orElse(USUAL_PINS);
    return (int) Math.min(most, IoapicModel.MOST_PINS);
  }
}
