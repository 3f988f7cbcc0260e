package dev.doorbell.machine;

import dev.doorbell.bus.Translator;
import dev.doorbell.description.ApicDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.hw.hpet.HpetModel;
import java.util.HashMap;
import java.util.Map;

/// Builds the HPETs of an x86 machine and puts them on the bus, each with its messages led to the IOMMU that firmware names for it.
final class HpetModels {
  /// The least that the specification asks for.
  private static final int USUAL_TIMERS = 3;

  private HpetModels() {}

  /// {@return models by the number that firmware gives them}
  ///
  /// There is none where the registers are not told or lie where something else is, nor where it is not told who remaps the messages.
  static Map<Integer, HpetModel> build(
      MachineDescription machine, Map<String, Translator> iommus, SystemMap bus) {
    Map<Integer, HpetModel> out = new HashMap<>();
    for (ApicDescription.Hpet h :
        machine.apic().stream().flatMap(a -> a.hpets().stream()).toList()) {
      if (h.registers().filter(bus::isFree).isEmpty() || machine.isRemapperUntold(h)) {
        continue;
      }
      WiredMessages.of(iommus, bus, h.iommu(), h.sourceId())
          .ifPresent(m -> {
            HpetModel model = new HpetModel(h.timers().orElse(USUAL_TIMERS), m::send);
            bus.add("HPET " + h.number(), h.registers().orElseThrow(), model);
            out.put(h.number(), model);
          });
    }
    return out;
  }
}
