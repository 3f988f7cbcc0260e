package dev.doorbell.hw.gicv3;

import dev.doorbell.bus.CpuInterface;

/// One CPU interface: which interrupt a processor takes, and what it has taken. Group 1, binary point 0, EOImode 0.
///
/// It starts as firmware leaves it to an operating system that is about to take interrupts: ICC_PMR_EL1 lets everything but the lowest
/// priority through and ICC_IGRPEN1_EL1 is 1.
///
/// **Source**: IHI 0069 H, 4.2 (priorities), 4.8 (preemption), 12.2 (ICC_IAR1_EL1, ICC_EOIR1_EL1, ICC_AP1Rn_EL1).
final class CpuInterfaceModel {
  private static final int IDLE = 0x100;

  private final int cpu;
  private final GicdModel distributor;
  private final GicrModel redistributor;
  private final long[] activePriorities = new long[4];
  private int priorityMask = 0xff;

  CpuInterfaceModel(int cpu, GicdModel distributor, GicrModel redistributor) {
    this.cpu = cpu;
    this.distributor = distributor;
    this.redistributor = redistributor;
  }

  synchronized void setPriorityMask(int mask) {
    priorityMask = mask;
  }

  synchronized int acknowledge() {
    if (!redistributor.isAwake()) {
      return CpuInterface.NONE;
    }
    while (true) {
      long lpi = redistributor.bestLpi();
      int wired = acknowledgeWired(lpi);
      if (wired != CpuInterface.NONE) {
        return wired;
      }
      if (lpi == InterruptBank.NONE || !passes(lpi) || !distributor.forwards()) {
        return CpuInterface.NONE;
      }
      // Somebody may have cleared or moved it since; then look again.
      if (redistributor.takePending(InterruptBank.rankIntid(lpi))) {
        return take(lpi);
      }
    }
  }

  private int acknowledgeWired(long lpi) {
    synchronized (distributor) {
      long rank = Math.min(distributor.best(cpu), redistributor.bestLocal());
      if (rank >= lpi || !passes(rank) || !distributor.forwards()) {
        return CpuInterface.NONE;
      }
      int intid = InterruptBank.rankIntid(rank);
      if (intid < GicdRegisters.FIRST_SPI) {
        redistributor.activate(intid);
      } else {
        distributor.activate(intid);
      }
      return take(rank);
    }
  }

  /// Drops the highest active priority and deactivates the interrupt, whichever was acknowledged last.
  synchronized void endOfInterrupt(int intid) {
    int running = runningPriority();
    if (running != IDLE) {
      activePriorities[running / Long.SIZE] &= ~(1L << (running % Long.SIZE));
    }
    if (intid < GicdRegisters.FIRST_SPI) {
      redistributor.deactivate(intid);
    } else if (distributor.isSpi(intid)) {
      distributor.deactivate(intid);
    }
  }

  private int take(long rank) {
    int priority = InterruptBank.rankPriority(rank);
    activePriorities[priority / Long.SIZE] |= 1L << (priority % Long.SIZE);
    return InterruptBank.rankIntid(rank);
  }

  private boolean passes(long rank) {
    int priority = InterruptBank.rankPriority(rank);
    return rank != InterruptBank.NONE && priority < priorityMask && priority < runningPriority();
  }

  private int runningPriority() {
    for (int i = 0; i < activePriorities.length; i++) {
      if (activePriorities[i] != 0) {
        return i * Long.SIZE + Long.numberOfTrailingZeros(activePriorities[i]);
      }
    }
    return IDLE;
  }
}
