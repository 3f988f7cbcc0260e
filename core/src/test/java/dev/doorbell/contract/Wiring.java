package dev.doorbell.contract;

import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Ringers;
import dev.doorbell.irq.MsiController;
import dev.doorbell.machine.EmbeddedMachine;
import dev.doorbell.machine.Machine;

/// What stands between the stack and the machine. Honest wiring passes everything on; a planted fault does not.
interface Wiring {
  Wiring HONEST = new Wiring() {};

  /// {@return the machine as drivers see it}
  default Machine machine(EmbeddedMachine machine) {
    return machine;
  }

  /// {@return translation tables as domains see them}
  default AddressSpace space(AddressSpace space) {
    return space;
  }

  /// {@return an MSI controller as MSI domains see it}
  default MsiController controller(MsiController controller) {
    return controller;
  }

  /// {@return the register of who rings, as a group sees it}
  default Ringers ringers(Ringers ringers) {
    return ringers;
  }

  /// The step is over.
  default void stepped() {}
}
