package dev.doorbell.host;

import dev.doorbell.address.Pa;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MsiControllerDescription.PhbMsi;
import dev.doorbell.description.Power8Bridge;
import dev.doorbell.description.PowerBridge;
import dev.doorbell.hw.phb.Phb3Driver;
import dev.doorbell.hw.phb.Phb3Hardware;
import dev.doorbell.hw.phb.Phb4Driver;
import dev.doorbell.hw.phb.Phb4Hardware;
import dev.doorbell.hw.phb.PhbDriver;
import dev.doorbell.hw.xics.XicsDriver;
import dev.doorbell.hw.xics.XicsHardware;
import dev.doorbell.hw.xive.XiveDriver;
import dev.doorbell.hw.xive.XiveGeneration;
import dev.doorbell.hw.xive.XiveHardware;
import dev.doorbell.machine.Machine;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/// Starts host bridges of POWER machines, and the interrupt controller behind them.
///
/// @param xive which all bridges store their events to; empty on POWER8
/// @param cpus how many CPUs interrupts can be sent to
record PowerStart(Optional<XiveDriver> xive, int cpus, List<PhbDriver> bridges) {
  /// CPUs that a controller tells apart.
  private static final int MOST_CPUS = 128;

  static boolean hasBridges(MachineDescription description) {
    return !PowerBridge.of(description).isEmpty() || !Power8Bridge.of(description).isEmpty();
  }

  static PowerStart of(Machine machine) {
    return PowerBridge.of(machine.description()).isEmpty() ? power8(machine) : power9(machine);
  }

  /// Bridges of POWER8 name the servers of CPUs themselves.
  private static PowerStart power8(Machine machine) {
    List<Power8Bridge> described = Power8Bridge.of(machine.description());
    XicsDriver xics =
        XicsDriver.open(
            new XicsHardware(
                "xics",
                described.getFirst().servers().stream()
                    .limit(MOST_CPUS)
                    .map(
                        s -> new XicsHardware.Server((int) s.number(), machine.registers(s.page())))
                    .toList(),
                described.stream()
                    .map(b ->
                        new XicsHardware.Sources((int) b.messages().first(), b.messages().count()))
                    .toList()));
    List<PhbDriver> bridges = new ArrayList<>();
    for (Power8Bridge b : described) {
      bridges.add(
          Phb3Driver.open(
              new Phb3Hardware(
                  b.phb().id(),
                  machine.registers(b.registers()),
                  machine.memory(),
                  machine.frames(),
                  messages(b.messages())),
              xics));
    }
    return new PowerStart(Optional.empty(), xics.cpus(), bridges);
  }

  private static Phb4Hardware.Messages messages(PhbMsi m) {
    return new Phb4Hardware.Messages(m.id(), (int) m.first(), m.count(), m.source());
  }

  private static PowerStart power9(Machine machine) {
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
    List<PhbDriver> bridges = new ArrayList<>();
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
                  messages(b.messages())),
              xive));
    }
    return new PowerStart(Optional.of(xive), cpus, bridges);
  }
}
