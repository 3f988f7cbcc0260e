package dev.doorbell.machine;

import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.Translator;
import dev.doorbell.description.ApicDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.hw.ioapic.IoapicModel;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Builds the I/O APICs of an x86 machine and puts them on the bus, each with its messages led to the IOMMU that firmware names for it.
final class IoapicModels {
  private static final int USUAL_PINS = 24;

  /// A requester that is no CPU; local APICs look at no other of its properties.
  private static final int NO_CPU = 0;

  private final MachineDescription machine;
  private final Map<String, Translator> iommus;
  private final SystemMap bus;

  private IoapicModels(MachineDescription machine, Map<String, Translator> iommus, SystemMap bus) {
    this.machine = machine;
    this.iommus = iommus;
    this.bus = bus;
  }

  /// {@return models by the id that firmware gives them}
  ///
  /// Of those whose registers are not told or lie where something else is, and of those behind an IOMMU that firmware tells no source-id for,
  /// there are none.
  static Map<Integer, IoapicModel> build(
      MachineDescription machine, Map<String, Translator> iommus, SystemMap bus) {
    IoapicModels models = new IoapicModels(machine, iommus, bus);
    Map<Integer, IoapicModel> out = new HashMap<>();
    List<ApicDescription.IoApic> all =
        machine.apic().stream().flatMap(a -> a.ioApics().stream()).toList();
    for (ApicDescription.IoApic a : all) {
      if (a.registers().filter(bus::isFree).isEmpty()) {
        continue;
      }
      models
          .messages(a)
          .ifPresent(m -> {
            IoapicModel model = new IoapicModel(pins(a, all), m);
            bus.add("I/O APIC " + a.apicId(), a.registers().orElseThrow(), model);
            out.put(a.apicId(), model);
          });
    }
    return out;
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

  private Optional<IoapicModel.Messages> messages(ApicDescription.IoApic a) {
    if (a.iommu().isEmpty()) {
      return Optional.of((address, data) ->
          bus.write(address, Integer.toUnsignedLong(data), Integer.BYTES, NO_CPU) == BusOutcome.OK);
    }
    Translator iommu = iommus.get(a.iommu().get());
    if (iommu == null || a.sourceId().isEmpty() || machine.iommu(a.iommu().get()).isEmpty()) {
      return Optional.empty();
    }
    int sourceId = a.sourceId().getAsInt();
    return Optional.of((address, data) -> {
      iommu.begin();
      try {
        return iommu.message(sourceId, address, Integer.toUnsignedLong(data), Integer.BYTES)
            == BusOutcome.OK;
      } finally {
        iommu.end();
      }
    });
  }
}
