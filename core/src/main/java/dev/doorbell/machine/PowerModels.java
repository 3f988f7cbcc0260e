package dev.doorbell.machine;

import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.Translator;
import dev.doorbell.bus.XicsPort;
import dev.doorbell.description.IommuDescription.Phb;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MsiControllerDescription.PhbMsi;
import dev.doorbell.description.Power8Bridge;
import dev.doorbell.description.PowerBridge;
import dev.doorbell.hw.phb.Phb3Model;
import dev.doorbell.hw.phb.Phb4Model;
import dev.doorbell.hw.xics.XicsModel;
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

  /// {@return the presentation controllers of POWER8, which are on the bus now; empty where there are none, or no bridge}
  static Optional<XicsModel> servers(MachineDescription machine, SystemMap bus) {
    return Power8Bridge.of(machine).stream()
        .findFirst()
        .map(b -> {
          XicsModel model = new XicsModel(b.servers().stream().map(s -> (int) s.number()).toList());
          for (int i = 0; i < b.servers().size(); i++) {
            PhbMsi.Server s = b.servers().get(i);
            bus.add("interrupt server " + s.number(), s.page(), model.page(i));
          }
          return model;
        });
  }

  /// {@return a model of a PHB3, on the bus; empty where it is none, or not described well enough}
  static Optional<Translator> bridge3(
      Phb phb, MachineDescription machine, PhysicalMemory memory, SystemMap bus, XicsPort servers) {
    return Power8Bridge.of(machine).stream()
        .filter(b -> b.phb().id().equals(phb.id()))
        .findFirst()
        .map(b -> {
          Phb3Model model =
              new Phb3Model(memory, servers, (int) b.messages().first(), b.messages().count());
          bus.add(phb.id(), b.registers(), model);
          return model;
        });
  }

  /// {@return a model of a PHB4 or PHB5, on the bus; empty where the bridge is not described well enough}
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
