package dev.doorbell.hw.gicv2;

import static dev.doorbell.hw.gicv2.GiccRegisters.*;

import dev.doorbell.bits.RegisterPorts;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.MmioDevice;

/// One processor's CPU interface, without Security Extensions: both groups are at hand, GICC_IAR takes Group 0, and Group 1 as well when
/// AckCtl is set; GICC_AIAR takes Group 1. Under the monitor of the shared state.
///
/// **Source**: IHI 0048B.b, 3.2 and 3.3 (acknowledge, priorities, preemption), 4.4.
final class CpuInterfaceModel implements MmioDevice {
  private static final int IDLE = 0xff;
  private static final int IDS = 1020;
  private static final int LEAST_ABPR = 1;

  private final DistributorModel.Shared shared;
  private final int cpu;
  private final RegisterPorts ports = new RegisterPorts(MAP);
  // Group priorities that are active, bit n for priority 2n: those that preempt one another differ
  // in bits 7:1.
  private final int[] activePriorities = new int[4];
  private long ctlr;
  private long pmr;
  private long bpr;
  private long abpr = LEAST_ABPR;

  CpuInterfaceModel(DistributorModel.Shared shared, int cpu) {
    this.shared = shared;
    this.cpu = cpu;
    long iidr = ARCH_VERSION.place(2);
    // Without Security Extensions there is one EOImode.
    ports.on(CTLR, i -> ctlr, (i, v) -> ctlr = CTLR.legalize(ctlr, v) & ~EOI_MODE_NS.mask());
    ports.on(PMR, i -> pmr, (i, v) -> pmr = PRIORITY.place(PRIORITY.get(v) & priorityMask()));
    ports.on(BPR, i -> bpr, (i, v) -> bpr = BPR.legalize(bpr, v));
    ports.on(ABPR, i -> abpr, (i, v) -> abpr = Math.max(LEAST_ABPR, ABPR.legalize(abpr, v)));
    ports.on(IAR, i -> acknowledge(false));
    ports.on(AIAR, i -> acknowledge(true));
    ports.on(EOIR, i -> 0, (i, v) -> endOfInterrupt(v));
    ports.on(AEOIR, i -> 0, (i, v) -> endOfInterrupt(v));
    ports.on(DIR, i -> 0, (i, v) -> deactivate(v));
    ports.on(RPR, i -> RUNNING_PRIORITY.place(runningPriority()));
    ports.on(HPPIR, i -> answer(highestPending(), false));
    ports.on(AHPPIR, i -> answer(highestPending(), true));
    ports.on(
        APR,
        i -> Integer.toUnsignedLong(activePriorities[i]),
        (i, v) -> activePriorities[i] = (int) v);
    ports.on(IIDR, i -> iidr);
  }

  @Override
  public BusRead read(long offset, int bytes) {
    if (!ports.answers(offset, bytes)) {
      return BusRead.error(bytes);
    }
    synchronized (shared) {
      return BusRead.ok(ports.read(offset, bytes));
    }
  }

  @Override
  public BusOutcome write(long offset, long value, int bytes, int requester) {
    if (!ports.answers(offset, bytes)) {
      return BusOutcome.ERROR;
    }
    synchronized (shared) {
      ports.write(offset, value, bytes);
    }
    return BusOutcome.OK;
  }

  void open() {
    pmr = PRIORITY.place(priorityMask());
    ctlr = ENABLE_GRP0.place(1) | ENABLE_GRP1.place(1) | ACK_CTL.place(1);
  }

  /// {@return what GICC_IAR, or its alias for Group 1, answers; the interrupt is then active}
  long acknowledge(boolean alias) {
    long best = highestPending();
    if (best == InterruptStates.NONE || !preempts(best)) {
      return INTERRUPT_ID.place(SPURIOUS);
    }
    long answer = answer(best, alias);
    int intid = InterruptStates.intidOf(best);
    if (INTERRUPT_ID.get(answer) == intid) {
      int priority = groupPriority(best);
      activePriorities[priority / 64] |= 1 << (priority / 2 % 32);
      shared.states.activate(cpu, intid);
    }
    return answer;
  }

  private long answer(long best, boolean alias) {
    if (best == InterruptStates.NONE) {
      return INTERRUPT_ID.place(SPURIOUS);
    }
    int intid = InterruptStates.intidOf(best);
    boolean group1 = shared.states.isGroup1(cpu, intid);
    if (alias && !group1) {
      return INTERRUPT_ID.place(SPURIOUS);
    }
    if (!alias && group1 && !ACK_CTL.isSet(ctlr)) {
      return INTERRUPT_ID.place(GROUP1_WAITS);
    }
    return INTERRUPT_ID.place(intid) | CPUID.place(shared.states.source(cpu, intid));
  }

  /// {@return the most urgent pending interrupt that passes the priority mask and is enabled here and at the Distributor}
  private long highestPending() {
    boolean group0 = shared.forwardsGroup0() && ENABLE_GRP0.isSet(ctlr);
    boolean group1 = shared.forwardsGroup1() && ENABLE_GRP1.isSet(ctlr);
    long best = shared.states.best(cpu, group0, group1);
    boolean passes =
        best != InterruptStates.NONE && InterruptStates.priorityOf(best) < PRIORITY.get(pmr);
    return passes ? best : InterruptStates.NONE;
  }

  private boolean preempts(long best) {
    int running = runningPriority();
    return running == IDLE || groupPriority(best) < running;
  }

  /// {@return the part of a priority that counts for preemption}
  private int groupPriority(long best) {
    boolean group1 = shared.states.isGroup1(cpu, InterruptStates.intidOf(best));
    int dropped =
        group1 && !CBPR.isSet(ctlr) ? BINARY_POINT.getInt(abpr) : BINARY_POINT.getInt(bpr) + 1;
    return InterruptStates.priorityOf(best) & -(1 << dropped);
  }

  private int runningPriority() {
    for (int i = 0; i < activePriorities.length; i++) {
      if (activePriorities[i] != 0) {
        return (i * 32 + Integer.numberOfTrailingZeros(activePriorities[i])) * 2;
      }
    }
    return IDLE;
  }

  /// Drops the highest active priority and, unless EOImode splits the two, deactivates the interrupt.
  void endOfInterrupt(long value) {
    if (INTERRUPT_ID.get(value) >= IDS) {
      return;
    }
    int running = runningPriority();
    if (running != IDLE) {
      activePriorities[running / 64] &= ~(1 << (running / 2 % 32));
    }
    if (!EOI_MODE_S.isSet(ctlr)) {
      deactivate(value);
    }
  }

  private void deactivate(long value) {
    int intid = INTERRUPT_ID.getInt(value);
    if (intid < shared.config.limit()) {
      shared.states.deactivate(cpu, intid);
    }
  }

  private long priorityMask() {
    return -(1L << (8 - shared.config.priorityBits())) & PRIORITY.max();
  }
}
