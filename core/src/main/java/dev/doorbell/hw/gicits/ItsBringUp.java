package dev.doorbell.hw.gicits;

import static dev.doorbell.hw.gicits.GitsRegisters.*;

import dev.doorbell.address.Pa;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.explain.Source;
import dev.doorbell.irq.LpiPool;
import dev.doorbell.irq.MsiControllerFailed;
import java.util.ArrayList;
import java.util.List;

/// An ITS that has been brought up: tables and queue installed, enabled, one collection a CPU.
///
/// @param targets each CPU's target as commands name it
record ItsBringUp(
    ItsHardware hardware,
    long typer,
    ItsCommandQueue queue,
    ItsTableDriver deviceTable,
    long[] targets) {
  private static final int READS = 1_000_000;

  /// @throws MsiControllerFailed when it is no ITS for physical LPIs, or does not answer as promised; it is disabled then, and what was
  ///     taken is given back
  static ItsBringUp run(ItsHardware hardware, LpiPool lpis) {
    RegisterBus bus = hardware.registers();
    long arch = ARCH_REV.get(Integer.toUnsignedLong(bus.read32(PIDR2.offset())));
    long typer = bus.read64(TYPER.offset());
    if ((arch != 3 && arch != 4) || !PHYSICAL.isSet(typer)) {
      throw new MsiControllerFailed(
          hardware.id(),
          "is no ITS for physical LPIs (GITS_PIDR2.ArchRev %d, GITS_TYPER 0x%x)"
              .formatted(arch, typer),
          Source.rule("GITS_TYPER"));
    }
    disable(hardware);
    List<ItsTableDriver> tables = new ArrayList<>();
    Pa queueMemory = hardware.frames().allocate(ItsCommandQueue.BYTES, ItsCommandQueue.BYTES);
    boolean done = false;
    try {
      long[] targets = targets(hardware, typer, lpis);
      ItsTableDriver devices = installTables(hardware, typer, targets.length, tables);
      ItsCommandQueue queue = new ItsCommandQueue(hardware, queueMemory, targets[0]);
      hardware.memory().publish();
      queue.install();
      bus.write32(CTLR.offset(), (int) ENABLED.place(1));
      for (int cpu = 0; cpu < targets.length; cpu++) {
        queue.sendAndSync(targets[cpu], ItsCommand.mapc(cpu, targets[cpu]), ItsCommand.invall(cpu));
      }
      done = true;
      return new ItsBringUp(hardware, typer, queue, devices, targets);
    } finally {
      if (!done) {
        undo(hardware, tables, queueMemory);
      }
    }
  }

  private static void undo(ItsHardware hardware, List<ItsTableDriver> tables, Pa queueMemory) {
    disable(hardware);
    hardware.registers().write64(CBASER.offset(), 0);
    tables.forEach(ItsTableDriver::close);
    hardware.frames().free(queueMemory, ItsCommandQueue.BYTES);
  }

  private static void disable(ItsHardware hardware) {
    RegisterBus bus = hardware.registers();
    bus.write32(CTLR.offset(), 0);
    long ctlr = 0;
    for (int i = 0; i < READS; i++) {
      ctlr = Integer.toUnsignedLong(bus.read32(CTLR.offset()));
      if (QUIESCENT.isSet(ctlr)) {
        return;
      }
      Thread.onSpinWait();
    }
    throw new MsiControllerFailed(
        hardware.id(),
        "does not become quiescent (GITS_CTLR 0x%x)".formatted(ctlr),
        Source.rule("GITS_CTLR"));
  }

  /// An ITS without a collection table holds GITS_TYPER.HCC collections and serves so many CPUs.
  private static long[] targets(ItsHardware hardware, long typer, LpiPool lpis) {
    boolean table = false;
    for (int i = 0; i < BASERS; i++) {
      table |= BASER_TYPE.get(hardware.registers().read64(BASER.offset(i))) == TYPE_COLLECTIONS;
    }
    int cpus = table ? lpis.cpus() : Math.min(lpis.cpus(), HCC.getInt(typer));
    if (cpus == 0) {
      throw new MsiControllerFailed(
          hardware.id(),
          "holds no collections (GITS_TYPER 0x%x)".formatted(typer),
          Source.rule("GITS_TYPER.HCC"));
    }
    long[] targets = new long[cpus];
    for (int cpu = 0; cpu < cpus; cpu++) {
      targets[cpu] = lpis.target(cpu, PTA.isSet(typer));
    }
    return targets;
  }

  private static ItsTableDriver installTables(
      ItsHardware hardware, long typer, int cpus, List<ItsTableDriver> tables) {
    ItsTableDriver devices = null;
    for (int i = 0; i < BASERS; i++) {
      long baser = hardware.registers().read64(BASER.offset(i));
      int type = BASER_TYPE.getInt(baser);
      if (type == TYPE_DEVICES) {
        devices = ItsTableDriver.install(hardware, i, baser, 1L << (DEVBITS.getInt(typer) + 1));
        tables.add(devices);
      } else if (type == TYPE_COLLECTIONS) {
        tables.add(ItsTableDriver.install(hardware, i, baser, cpus));
      }
    }
    if (devices == null) {
      throw new MsiControllerFailed(
          hardware.id(), "asks for no device table", Source.rule("GITS_BASER"));
    }
    return devices;
  }
}
