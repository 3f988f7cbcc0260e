package dev.doorbell.hw.gicv3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.CpuInterface;
import dev.doorbell.bus.InterruptLine;
import dev.doorbell.simple.ModelRegisters;
import dev.doorbell.simple.PlainMemory;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/// The model by plain register and memory numbers.
class GicV3ModelTest {
  private static final long CONFIG = 0x4100_0000L;
  private static final long PENDING = 0x4101_0000L;

  private final PlainMemory memory = new PlainMemory(0x4000_0000L, 0x1000_0000L);
  private final GicV3Model gic =
      new GicV3Model(GicV3Config.of(List.of(0x0L, 0x1L, 0x1_0000_0203L), 0x080a_0000L), memory);
  private final ModelRegisters gicd = new ModelRegisters(gic.distributor());

  private ModelRegisters gicr(int cpu) {
    return new ModelRegisters(gic.redistributor(cpu));
  }

  private void start() {
    gicd.write32(0x0000, 0x10);
    for (int word = 1; word < 9; word++) {
      gicd.write32(0x0080 + 4L * word, -1);
    }
    gicd.write32(0x0000, 0x12);
    for (int cpu = 0; cpu < 3; cpu++) {
      gicr(cpu).write32(0x0014, 0);
    }
  }

  private void enableLpis(int cpu) {
    gicr(cpu).write64(0x0070, CONFIG | 15);
    gicr(cpu).write64(0x0078, PENDING + cpu * 0x1_0000L | 1L << 62);
    gicr(cpu).write32(0x0000, 1);
  }

  private InterruptLine enabledSpi(int intid, boolean edge, int priority, long route) {
    if (edge) {
      gicd.write32(
          0x0c00 + intid / 16 * 4L, gicd.read32(0x0c00 + intid / 16 * 4L) | 2 << intid % 16 * 2);
    }
    gicd.write(0x0400 + intid, priority, 1);
    gicd.write64(0x6000 + 8L * intid, route);
    gicd.write32(0x0100 + intid / 32 * 4L, 1 << intid % 32);
    return gic.spi(intid);
  }

  @Test
  @DisplayName("IHI 0069 12.9.38 GICD_TYPER: 288 INTIDs below 1020, LPIs, 16 INTID bits")
  void gicdTyper() {
    int typer = gicd.read32(0x0004);
    assertEquals(8, typer & 0x1f);
    assertEquals(1, typer >> 17 & 1);
    assertEquals(15, typer >> 19 & 0x1f);
    assertEquals(0x30, gicd.read32(0xffe8) & 0xf0, "GICD_PIDR2.ArchRev");
  }

  @Test
  @DisplayName("IHI 0069 12.11.35 GICR_TYPER: affinity, processor number, Last in the row")
  void gicrTyper() {
    assertEquals(0x0000_0000_0100_0001L, gicr(0).read64(0x0008));
    assertEquals(0x0000_0001_0100_0101L, gicr(1).read64(0x0008));
    assertEquals(0x0100_0203_0100_0211L, gicr(2).read64(0x0008), "Aff3 lies right above Aff2");
  }

  @Test
  @DisplayName("lab capture: GICR_TYPER and GICR_CTLR of a one-CPU machine read 0x1000011 and 0x3")
  void asCaptured() {
    GicV3Model one = new GicV3Model(GicV3Config.of(List.of(0L), 0x080a_0000L), memory);
    ModelRegisters gicr = new ModelRegisters(one.redistributor(0));
    assertEquals(0x100_0011L, gicr.read64(0x0008));
    gicr.write64(0x0070, 0x429e_078fL);
    gicr.write64(0x0078, 0x4000_0000_429f_0780L);
    gicr.write32(0x0000, 1);
    assertEquals(3, gicr.read32(0x0000));
    assertEquals(0x429e_078fL, gicr.read64(0x0070));
    assertEquals(0x429f_0780L, gicr.read64(0x0078), "PTZ reads as zero");
  }

  @Test
  @DisplayName("IHI 0069 4.1: an edge is latched while disabled and delivered when enabled, once")
  void edge() {
    start();
    InterruptLine line = enabledSpi(80, true, 0xa0, 0);
    gicd.write32(0x0188, 1 << 16);
    line.pulse();
    line.pulse();
    assertEquals(1 << 16, gicd.read32(0x0208), "GICD_ISPENDR2");
    assertEquals(CpuInterface.NONE, gic.acknowledge(0));
    gicd.write32(0x0108, 1 << 16);
    assertEquals(80, gic.acknowledge(0));
    assertEquals(0, gicd.read32(0x0208));
    assertEquals(1 << 16, gicd.read32(0x0308), "GICD_ISACTIVER2");
    line.pulse();
    assertEquals(CpuInterface.NONE, gic.acknowledge(0), "active and pending");
    gic.endOfInterrupt(0, 80);
    assertEquals(80, gic.acknowledge(0));
    gic.endOfInterrupt(0, 80);
    assertEquals(CpuInterface.NONE, gic.acknowledge(0));
  }

  @Test
  @DisplayName("IHI 0069 4.1: a level is pending as long as it is up; a pulse leaves nothing")
  void level() {
    start();
    InterruptLine line = enabledSpi(81, false, 0xa0, 0);
    line.pulse();
    assertEquals(CpuInterface.NONE, gic.acknowledge(0));
    line.set(true);
    gicd.write32(0x0288, 1 << 17);
    assertEquals(1 << 17, gicd.read32(0x0208), "GICD_ICPENDR does not lower the line");
    assertEquals(81, gic.acknowledge(0));
    gic.endOfInterrupt(0, 81);
    assertEquals(81, gic.acknowledge(0), "still up");
    line.set(false);
    gic.endOfInterrupt(0, 81);
    assertEquals(CpuInterface.NONE, gic.acknowledge(0));
  }

  @Test
  @DisplayName("IHI 0069 12.9.22 GICD_IROUTER: to the CPU of this affinity, or with IRM to any")
  void routing() {
    start();
    InterruptLine line = enabledSpi(90, true, 0xa0, 0x1_0000_0203L);
    line.pulse();
    assertEquals(CpuInterface.NONE, gic.acknowledge(0));
    assertEquals(CpuInterface.NONE, gic.acknowledge(1));
    assertEquals(90, gic.acknowledge(2));
    gic.endOfInterrupt(2, 90);
    gicd.write64(0x6000 + 8 * 90, 1L << 31);
    line.pulse();
    assertEquals(90, gic.acknowledge(1));
    assertEquals(CpuInterface.NONE, gic.acknowledge(0), "one of them has it");
  }

  @Test
  @DisplayName(
      "IHI 0069 4.8: the most urgent first, the lower INTID among equals; only a more urgent one preempts; ICC_PMR masks")
  void priorities() {
    start();
    enabledSpi(100, true, 0xa0, 0).pulse();
    enabledSpi(99, true, 0xa0, 0).pulse();
    assertEquals(99, gic.acknowledge(0));
    assertEquals(CpuInterface.NONE, gic.acknowledge(0), "equal priority does not preempt");
    enabledSpi(101, true, 0x80, 0).pulse();
    assertEquals(101, gic.acknowledge(0));
    gic.endOfInterrupt(0, 101);
    assertEquals(CpuInterface.NONE, gic.acknowledge(0), "back at the priority of 99");
    gic.endOfInterrupt(0, 99);
    gic.setPriorityMask(0, 0xa0);
    assertEquals(CpuInterface.NONE, gic.acknowledge(0), "0xa0 is not below 0xa0");
    gic.setPriorityMask(0, 0xa8);
    assertEquals(100, gic.acknowledge(0));
  }

  @Test
  @DisplayName("IHI 0069 4.8: five priority bits, the lower three read as zero")
  void priorityBits() {
    gicd.write32(0x0440, -1);
    assertEquals(0xf8f8_f8f8, gicd.read32(0x0440));
  }

  @Test
  @DisplayName("IHI 0069 4.6: Group 0 and a disabled Group 1 deliver nothing")
  void groups() {
    start();
    enabledSpi(80, true, 0xa0, 0).pulse();
    gicd.write32(0x0088, 0);
    assertEquals(CpuInterface.NONE, gic.acknowledge(0), "in Group 0");
    gicd.write32(0x0088, -1);
    gicd.write32(0x0000, 0x10);
    assertEquals(CpuInterface.NONE, gic.acknowledge(0), "Group 1 disabled");
    gicd.write32(0x0000, 0x12);
    assertEquals(80, gic.acknowledge(0));
  }

  @Test
  @DisplayName("IHI 0069 12.11.36 GICR_WAKER: a sleeping CPU takes nothing")
  void waker() {
    start();
    assertEquals(0, gicr(0).read32(0x0014));
    enabledSpi(80, true, 0xa0, 0).pulse();
    gicr(0).write32(0x0014, 2);
    assertEquals(6, gicr(0).read32(0x0014));
    assertEquals(CpuInterface.NONE, gic.acknowledge(0));
    gicr(0).write32(0x0014, 0);
    assertEquals(80, gic.acknowledge(0));
  }

  @Test
  @DisplayName(
      "IHI 0069 12.11: SGIs and PPIs are each CPU's own; their words of the Distributor are reserved")
  void local() {
    start();
    gicr(1).write32(0x1_0080, -1);
    gicr(1).write32(0x1_0100, 1 << 27);
    gicr(1).write32(0x1_0200, 1 << 27);
    assertEquals(CpuInterface.NONE, gic.acknowledge(0));
    assertEquals(27, gic.acknowledge(1));
    gicd.write32(0x0100, -1);
    assertEquals(0, gicd.read32(0x0100));
    assertEquals(0xaaaa_aaaa, gicr(1).read32(0x1_0c00), "SGIs are edge-triggered");
    gicr(1).write32(0x1_0c00, 0);
    assertEquals(0xaaaa_aaaa, gicr(1).read32(0x1_0c00));
  }

  @Test
  @DisplayName(
      "IHI 0069 5.1.2: a pending LPI is one bit in memory, enabled or not; it is cleared by acknowledging")
  void lpiInMemory() {
    start();
    memory.write(CONFIG + 1, 0xa3, 1);
    enableLpis(0);
    gic.setPending(0, 8192);
    gic.setPending(0, 8193);
    assertEquals(3, memory.read(PENDING + 1024, 1));
    assertEquals(8193, gic.acknowledge(0));
    assertEquals(1, memory.read(PENDING + 1024, 1));
    assertEquals(CpuInterface.NONE, gic.acknowledge(0), "8192 is disabled");
    gic.endOfInterrupt(0, 8193);
    gic.setPending(0, 8193);
    assertEquals(8193, gic.acknowledge(0), "an LPI has no active state");
  }

  @Test
  @DisplayName(
      "IHI 0069 5.1: LPIs out of range, of a CPU without LPIs enabled, or of no CPU are lost and counted")
  void lostLpis() {
    start();
    enableLpis(0);
    gic.setPending(0, 8191);
    gic.setPending(0, 65536);
    gic.setPending(1, 8192);
    gic.setPending(3, 8192);
    assertEquals(4, gic.lostLpis());
    gicr(2).write64(0x0070, CONFIG | 12);
    gicr(2).write32(0x0000, 1);
    gic.setPending(2, 8192);
    assertEquals(5, gic.lostLpis(), "13 INTID bits hold no LPI");
  }

  @Test
  @DisplayName(
      "IHI 0069 12.11.33 GICR_PENDBASER.PTZ = 0: what the table holds when LPIs are enabled is pending")
  void oldPendingTable() {
    start();
    memory.write(CONFIG + 8, 0xa3, 1);
    memory.write(PENDING + 1025, 1, 1);
    gicr(0).write64(0x0070, CONFIG | 15);
    gicr(0).write64(0x0078, PENDING);
    gicr(0).write32(0x0000, 1);
    assertEquals(8200, gic.acknowledge(0));
  }

  @Test
  @DisplayName(
      "IHI 0069 12.11.12 GICR_CTLR: tables cannot be replaced while LPIs are enabled; disabling ends all use of them")
  void replaceTables() {
    start();
    enableLpis(0);
    gicr(0).write64(0x0070, 0x4200_0000L | 13);
    assertEquals(CONFIG | 15, gicr(0).read64(0x0070));
    gicr(0).write32(0x0000, 0);
    gic.setPending(0, 8192);
    assertEquals(0, memory.read(PENDING + 1024, 1));
    gicr(0).write64(0x0070, 0x4200_0000L | 13);
    assertEquals(0x4200_000dL, gicr(0).read64(0x0070));
  }

  @Test
  @DisplayName("tables outside memory: LPIs are disabled and lost, nothing else happens")
  void tablesOutsideMemory() {
    start();
    gicr(0).write64(0x0070, 0x9000_0000L | 15);
    gicr(0).write64(0x0078, 0x9001_0000L);
    gicr(0).write32(0x0000, 1);
    gic.setPending(0, 8192);
    assertEquals(1, gic.lostLpis());
    assertEquals(CpuInterface.NONE, gic.acknowledge(0));
  }

  @Test
  @DisplayName("IHI 0069 12.1.3: access sizes")
  void accessSizes() {
    assertEquals(BusOutcome.ERROR, gic.distributor().read(0x0100, 1).outcome());
    assertEquals(
        BusOutcome.OK, gic.distributor().read(0x0420, 1).outcome(), "GICD_IPRIORITYR by byte");
    assertEquals(BusOutcome.ERROR, gic.distributor().read(0x0100, 8).outcome());
    assertEquals(BusOutcome.ERROR, gic.distributor().read(0x0102, 4).outcome());
    assertEquals(BusOutcome.ERROR, gic.distributor().read(0x1_0000, 4).outcome());
    gicd.write32(0x6104, 1);
    assertEquals(1L << 32, gicd.read64(0x6100), "GICD_IROUTER by half");
    ModelRegisters row = new ModelRegisters(gic.redistributors(0, 3));
    assertEquals(2, row.read64(0x4_0008) >> 8 & 0xffff);
    assertEquals(BusOutcome.ERROR, gic.redistributors(0, 3).read(0x6_0000, 4).outcome());
  }

  @Test
  @DisplayName(
      "IHI 0069 12.9.28 GICD_SETSPI_NSR: raises and clears SPIs where GICD_TYPER.MBIS is 1")
  void messageSpis() {
    GicV3Config config =
        new GicV3Config(List.of(new GicV3Config.Cpu(0, 0x080a_0000L)), 992, 16, 5, true);
    GicV3Model other = new GicV3Model(config, memory);
    ModelRegisters bus = new ModelRegisters(other.distributor());
    assertEquals(1, bus.read32(0x0004) >> 16 & 1);
    bus.write(0x0040, 1019, 2);
    assertEquals(1 << 27, bus.read32(0x027c));
    bus.write32(0x0048, 1019);
    assertEquals(0, bus.read32(0x027c));
    bus.write32(0x0040, 1020);
    bus.write32(0x0040, 31);
    bus.write32(0x027c, -1);
    assertEquals(0x0fff_ffff, bus.read32(0x027c), "INTIDs 1020 to 1023 are no SPIs");
    gicd.write32(0x0040, 40);
    assertEquals(0, gicd.read32(0x0204), "not without MBIS");
  }

  @Test
  @DisplayName(
      "moving: pending state and cached configuration go along; unknown targets are passed over")
  void moving() {
    start();
    memory.write(CONFIG, 0xa3, 1);
    enableLpis(0);
    enableLpis(1);
    gic.setPending(0, 8192);
    gic.move(0, 1, 8192);
    gic.move(0, 7, 8192);
    gic.moveAll(-1, 0);
    assertFalse(memory.read(PENDING + 1024, 1) != 0);
    assertTrue(memory.read(PENDING + 0x1_0000 + 1024, 1) != 0);
    assertEquals(8192, gic.acknowledge(1));
    assertEquals(1, gic.targetAt(0x080c_0000L));
    assertEquals(-1, gic.targetAt(0x080b_0000L));
  }
}
