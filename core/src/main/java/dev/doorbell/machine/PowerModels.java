package dev.doorbell.machine;

import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.Translator;
import dev.doorbell.description.IommuDescription.Phb;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.PowerBridge;
import dev.doorbell.hw.phb.Phb4Model;
import dev.doorbell.hw.xive.Xive2Model;
import dev.doorbell.hw.xive.XiveModel;
import java.util.List;
import java.util.Optional;

/// Builds what only POWER machines have: host bridges, and the interrupt controller that takes their events. There is one, whatever the number of
/// chips.
final class PowerModels {
  private PowerModels() {}

  /// {@return whether the machine has an interrupt controller that a model stands for, which is on the bus now}
  static boolean interrupts(MachineDescription machine, PhysicalMemory memory, SystemMap bus) {
    List<PowerBridge> bridges = PowerBridge.of(machine);
    if (bridges.isEmpty()) {
      return false;
    }
    PowerBridge first = bridges.getFirst();
    bus.add(
        "XIVE",
        first.controller(),
        first.isPower10() ? new Xive2Model(memory) : new XiveModel(memory));
    return true;
  }

  /// {@return a model of a bridge, on the bus; empty where the bridge is not described well enough}
  static Optional<Translator> bridge(
      Phb phb, MachineDescription machine, PhysicalMemory memory, SystemMap bus) {
    return PowerBridge.of(machine).stream()
        .filter(b -> b.phb().id().equals(phb.id()))
        .findFirst()
        .map(b -> {
          Phb4Model model =
              new Phb4Model(memory, bus, b.isPower10(), b.pes(), b.messages().count());
          bus.add(phb.id(), b.registers(), model);
          bus.add("interrupts of " + phb.id(), b.esb(), model.pages());
          return model;
        });
  }
}
