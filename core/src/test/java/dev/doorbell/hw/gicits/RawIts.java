package dev.doorbell.hw.gicits;

import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.hw.gicv3.GicV3Config;
import dev.doorbell.hw.gicv3.GicV3Model;
import dev.doorbell.simple.ModelRegisters;
import dev.doorbell.simple.PlainMemory;
import java.util.List;

/// A GICv3 and an ITS, programmed by plain numbers as a foreign driver would write them: no layout, no driver of ours. The
/// sequence and the addresses are those that were run against QEMU.
final class RawIts {
  static final long RAM = 0x4000_0000L;
  static final long CONFIG = 0x4100_0000L;
  static final long PENDING = 0x4101_0000L;
  static final long PENDING_STRIDE = 0x1_0000L;
  static final long DEVICES = 0x4110_0000L;
  static final long LEVEL2 = 0x4120_0000L;
  static final long COLLECTIONS = 0x4130_0000L;
  static final long QUEUE = 0x4140_0000L;
  static final int QUEUE_BYTES = 0x1_0000;
  static final long ITT = 0x4150_0000L;
  static final long GICR = 0x080a_0000L;

  final PhysicalMemory memory;
  final GicV3Model gic;
  final ItsModel its;
  final ModelRegisters gicd;
  final ModelRegisters regs;
  private long tail;

  RawIts(int cpus, ItsConfig config) {
    this(cpus, config, new PlainMemory(RAM, 0x1000_0000L));
  }

  RawIts(int cpus, ItsConfig config, PhysicalMemory memory) {
    this.memory = memory;
    List<Long> mpidrs = java.util.stream.LongStream.range(0, cpus).boxed().toList();
    gic = new GicV3Model(GicV3Config.of(mpidrs, GICR), memory);
    its = new ItsModel(config, memory, gic);
    gicd = new ModelRegisters(gic.distributor());
    regs = new ModelRegisters(its);
    gicd.write32(0x0000, 0x10);
    gicd.write32(0x0000, 0x12);
    for (int cpu = 0; cpu < cpus; cpu++) {
      ModelRegisters gicr = gicr(cpu);
      gicr.write32(0x0014, 0);
      gicr.write64(0x0070, CONFIG | 15);
      gicr.write64(0x0078, pendingTable(cpu) | 1L << 62);
    }
  }

  /// Enables LPIs everywhere; configuration written before is seen.
  RawIts enableLpis() {
    for (int cpu = 0; cpu < gic.cpus(); cpu++) {
      gicr(cpu).write32(0x0000, 1);
    }
    return this;
  }

  /// Installs tables and queue and enables the ITS.
  RawIts enableIts(boolean indirect) {
    regs.write64(
        0x0100, 1L << 63 | (indirect ? 1L << 62 : 0) | 2 << 8 | (indirect ? 0 : 7) | DEVICES);
    regs.write64(0x0108, 1L << 63 | 2 << 8 | COLLECTIONS);
    regs.write64(0x0080, 1L << 63 | 15 | QUEUE);
    regs.write64(0x0088, 0);
    regs.write32(0x0000, 1);
    return this;
  }

  ModelRegisters gicr(int cpu) {
    return new ModelRegisters(gic.redistributor(cpu));
  }

  static long pendingTable(int cpu) {
    return PENDING + cpu * PENDING_STRIDE;
  }

  boolean isPending(int cpu, int intid) {
    return (memory.read(pendingTable(cpu) + intid / 8, 1) >> intid % 8 & 1) != 0;
  }

  void configure(int lpi, int value) {
    memory.write(CONFIG + lpi - 8192, value, 1);
  }

  /// Puts a command into the queue without ringing.
  void put(long dw0, long dw1, long dw2, long dw3) {
    memory.write64(QUEUE + tail, dw0);
    memory.write64(QUEUE + tail + 8, dw1);
    memory.write64(QUEUE + tail + 16, dw2);
    memory.write64(QUEUE + tail + 24, dw3);
    tail = (tail + 32) % QUEUE_BYTES;
  }

  void ring() {
    regs.write64(0x0088, tail);
  }

  void command(long dw0, long dw1, long dw2) {
    put(dw0, dw1, dw2, 0);
    ring();
  }

  long creadr() {
    return regs.read64(0x0090);
  }

  void mapc(int icid, int processor) {
    command(0x09, 0, 1L << 63 | (long) processor << 16 | icid);
  }

  void mapd(long device, int sizeMinusOne, long itt) {
    command(0x08 | device << 32, sizeMinusOne, 1L << 63 | itt);
  }

  void mapti(long device, long event, long intid, int icid) {
    command(0x0a | device << 32, intid << 32 | event, icid);
  }

  void onEvent(int code, long device, long event, int icid) {
    command(code | device << 32, event, icid);
  }

  BusOutcome fire(int device, int event) {
    return its.write(0x1_0040, event, 4, device);
  }
}
