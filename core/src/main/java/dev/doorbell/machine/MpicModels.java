package dev.doorbell.machine;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.hw.mpic.MpicMsiModel;
import dev.doorbell.hw.mpic.MpicMsiRegisters;

/// Builds the message banks of an MPIC. The rest of it is not there: drivers look for interrupts in the banks.
final class MpicModels {
  private MpicModels() {}

  /// {@return whether the machine has any}
  static boolean build(MachineDescription machine, SystemMap bus) {
    boolean any = false;
    for (MsiControllerDescription c : machine.msiControllers()) {
      if (c instanceof MsiControllerDescription.MpicMsi bank) {
        MpicMsiModel model = new MpicMsiModel(bank.wide());
        AddressRange own = AddressRange.ofSize(bank.registers().start(), MpicMsiRegisters.BYTES);
        bus.add(bank.id(), own, model);
        if (!own.contains(bank.index())) {
          bus.add(
              "alias of " + bank.id(),
              AddressRange.ofSize(bank.index(), Integer.BYTES),
              model.alias());
        }
        any = true;
      }
    }
    return any;
  }
}
