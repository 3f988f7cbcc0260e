package dev.doorbell.host;

import dev.doorbell.address.Pa;
import dev.doorbell.description.GicDescription;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.hw.gicv2.GicV2Driver;
import dev.doorbell.hw.gicv2.GicV2Hardware;
import dev.doorbell.hw.gicv2m.GicV2mDriver;
import dev.doorbell.hw.gicv2m.GicV2mFrame;
import dev.doorbell.irq.MsiController;
import dev.doorbell.irq.SpiController;
import dev.doorbell.machine.Machine;

/// Starts a GICv2, and message frames above either kind of Distributor.
final class GicV2Start {
  private GicV2Start() {}

  static SpiController open(Machine machine, GicDescription gic) {
    GicV2Hardware hardware =
        GicV2Hardware.of(
            "gicd@0x" + Long.toHexString(gic.distributor().start()),
            machine.registers(gic.distributor()),
            gic.cpuInterface().map(machine::registers),
            Math.max(1, gic.cpus().size()));
    return GicV2Driver.open(machine.cpuInterface().map(hardware::with).orElse(hardware));
  }

  static MsiController frame(
      Machine machine, MsiControllerDescription.GicV2m frame, SpiController spis) {
    return GicV2mDriver.open(
        new GicV2mFrame(
            frame.id(),
            new Pa(frame.window().start()),
            machine.registers(frame.window()),
            frame.spiBase(),
            frame.spiCount()),
        spis);
  }
}
