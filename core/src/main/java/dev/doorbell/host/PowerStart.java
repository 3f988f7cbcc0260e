package dev.doorbell.host;

import dev.doorbell.address.Pa;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.PowerBridge;
import dev.doorbell.hw.phb.Phb4Driver;
import dev.doorbell.hw.phb.Phb4Hardware;
import dev.doorbell.hw.xive.XiveDriver;
import dev.doorbell.hw.xive.XiveGeneration;
import dev.doorbell.hw.xive.XiveHardware;
import dev.doorbell.machine.Machine;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/// Starts host bridges of POWER machines, and the interrupt controller behind them.
///
/// @param controller which all bridges store their events to
record PowerStart(XiveDriver controller, List<Phb4Driver> bridges) {
  /// CPUs that a controller tells apart.
  private static final int MOST_CPUS = 128;

  static boolean hasBridges(MachineDescription description) {
    return !PowerBridge.of(description).isEmpty();
  }

  static PowerStart of(Machine machine) {
    List<PowerBridge> described = PowerBridge.of(machine.description());
    PowerBridge first = described.getFirst();
    int cpus = Math.clamp(machine.description().cpus(), 1, MOST_CPUS);
    XiveDriver xive =
        XiveDriver.open(
            new XiveHardware(
                "xive@0x" + Long.toHexString(first.controller().start()),
                first.isPower10() ? XiveGeneration.SECOND : XiveGeneration.FIRST,
                machine.registers(first.controller()),
                new Pa(first.controller().start()),
                machine.memory(),
                machine.frames(),
                IntStream.range(0, cpus).boxed().toList(),
                described.stream()
                    .map(b ->
                        new XiveHardware.Sources((int) b.messages().first(), b.messages().count()))
                    .toList()));
    List<Phb4Driver> bridges = new ArrayList<>();
    for (PowerBridge b : described) {
      bridges.add(
          Phb4Driver.open(
              new Phb4Hardware(
                  b.phb().id(),
                  b.phb().kind(),
                  machine.registers(b.registers()),
                  machine.registers(b.esb()),
                  machine.memory(),
                  machine.frames(),
                  new Phb4Hardware.Messages(
                      b.messages().id(),
                      (int) b.messages().first(),
                      b.messages().count(),
                      b.messages().source())),
              xive));
    }
    return new PowerStart(xive, bridges);
  }
}
