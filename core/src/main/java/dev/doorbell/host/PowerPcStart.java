package dev.doorbell.host;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.description.MsiControllerDescription.MpicMsi;
import dev.doorbell.hw.mpic.MpicMsiBank;
import dev.doorbell.hw.mpic.MpicMsiDriver;
import dev.doorbell.hw.mpic.MpicMsiRegisters;
import dev.doorbell.hw.pamu.PamuDriver;
import dev.doorbell.hw.pamu.PamuRegisters;
import dev.doorbell.iommu.Iommu;
import dev.doorbell.irq.MsiController;
import dev.doorbell.machine.Machine;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Starts PAMU and MPIC banks of Freescale's machines.
final class PowerPcStart {
  private static final int MOST_LIODNS = 0x10000;

  private PowerPcStart() {}

  static Iommu pamu(Machine machine, IommuDescription.Pamu pamu) {
    List<RegisterBus> units = new ArrayList<>();
    for (long at = 0;
        at + PamuRegisters.BYTES <= pamu.window().bytes();
        at += PamuRegisters.BYTES) {
      units.add(
          machine.registers(AddressRange.ofSize(pamu.window().start() + at, PamuRegisters.BYTES)));
    }
    long liodns = machine.description().highestStreamId(pamu.id()) + 1;
    return PamuDriver.open(
        pamu.id(), units, machine.memory(), machine.frames(), (int) Math.min(liodns, MOST_LIODNS));
  }

  static boolean hasBanks(MachineDescription description) {
    return description.msiControllers().stream().anyMatch(c -> c instanceof MpicMsi);
  }

  static Map<String, MsiController> banks(Machine machine) {
    Map<String, MsiController> out = new LinkedHashMap<>();
    for (MsiControllerDescription c : machine.description().msiControllers()) {
      if (c instanceof MpicMsi bank) {
        AddressRange registers =
            AddressRange.ofSize(bank.registers().start(), MpicMsiRegisters.BYTES);
        out.put(
            bank.id(),
            MpicMsiDriver.open(
                new MpicMsiBank(
                    bank.id(),
                    machine.registers(registers),
                    new Pa(bank.index()),
                    bank.wide(),
                    bank.source())));
      }
    }
    return out;
  }
}
