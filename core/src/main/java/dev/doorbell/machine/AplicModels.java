package dev.doorbell.machine;

import dev.doorbell.description.AplicDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MsiControllerDescription.Imsic;
import dev.doorbell.hw.aplic.AplicModel;
import java.util.HashMap;
import java.util.Map;

/// Builds the APLICs of a RISC-V machine and puts them on the bus, each with its messages led to the harts' interrupt files.
final class AplicModels {
  private AplicModels() {}

  /// {@return models by the numbers that they are called by}
  ///
  /// Of those whose registers lie where something else is there are none.
  static Map<Integer, AplicModel> build(MachineDescription machine, SystemMap bus) {
    Map<Integer, AplicModel> out = new HashMap<>();
    machine
        .imsic()
        .ifPresent(imsic ->
            imsic.aplics().stream()
                .filter(a -> bus.isFree(a.registers()))
                .forEach(a -> out.put(a.number(), placed(a, imsic, bus))));
    return out;
  }

  private static AplicModel placed(AplicDescription a, Imsic imsic, SystemMap bus) {
    AplicModel model =
        new AplicModel(
            a.sources(),
            (hart, guest, identity) ->
                AplicDescription.page(imsic, hart, guest)
                    .ifPresent(
                        page -> bus.write(page, identity, Integer.BYTES, WiredMessages.NO_CPU)));
    // Wires that are active when they are low are high as long as nothing drives them.
    for (int source = 1; source <= a.sources(); source++) {
      model.drive(source, a.signal(source).low());
    }
    bus.add(a.id(), a.registers(), model);
    return model;
  }
}
