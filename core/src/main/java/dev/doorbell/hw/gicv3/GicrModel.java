package dev.doorbell.hw.gicv3;

import static dev.doorbell.hw.gicv3.GicrRegisters.*;

import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterPorts;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.MmioDevice;
import dev.doorbell.bus.PhysicalMemory;
import org.jspecify.annotations.Nullable;

/// One Redistributor: its processor's SGIs and PPIs, and its LPIs.
///
/// Choices the architecture leaves open: GICR_CTLR.EnableLPIs can be cleared again (CES is 1); writes to GICR_PROPBASER and
/// GICR_PENDBASER while LPIs are enabled are ignored; no LPI registers (DirectLPI is 0). SGIs and PPIs are guarded by the
/// Distributor's monitor.
///
/// **Source**: IHI 0069 H, 12.10 and 12.11.
final class GicrModel implements MmioDevice {
  private final GicV3Config config;
  private final Object monitor;
  private final PhysicalMemory memory;
  private final LpiArrivals arrivals;
  private final InterruptBank local;
  private final RegisterPorts ports = new RegisterPorts(MAP);
  private long ctlr = CTLR.reset();
  private long waker = WAKER.reset();
  private long propbaser;
  private long pendbaser;
  private boolean pendingTableIsZero;
  private volatile @Nullable LpiBank lpis;

  GicrModel(
      GicV3Config config,
      int cpu,
      GicdModel distributor,
      PhysicalMemory memory,
      LpiArrivals arrivals) {
    this.config = config;
    this.monitor = distributor;
    this.memory = memory;
    this.arrivals = arrivals;
    local = new InterruptBank(1, config.priorityBits());
    local.edge[0] = 0xffff;
    long typer = typer(config, cpu);
    ports.on(CTLR, i -> ctlr, (i, v) -> writeCtlr(v));
    ports.on(TYPER, i -> typer);
    ports.on(WAKER, i -> waker, (i, v) -> waker = PROCESSOR_SLEEP.isSet(v) ? WAKER.reset() : 0);
    ports.on(
        PROPBASER,
        i -> propbaser,
        (i, v) -> propbaser = lpis == null ? PROPBASER.legalize(propbaser, v) : propbaser);
    ports.on(PENDBASER, i -> pendbaser, (i, v) -> writePendbaser(v));
    long pidr2 = GicdRegisters.ARCH_REV.place(3);
    ports.on(PIDR2, i -> pidr2);
    declareLocal();
  }

  private static long typer(GicV3Config config, int cpu) {
    GicV3Config.Cpu own = config.cpus().get(cpu);
    boolean last =
        cpu + 1 == config.cpus().size()
            || config.cpus().get(cpu + 1).redistributor() != own.redistributor() + BYTES;
    return PLPIS.place(1)
        | LAST.place(last ? 1 : 0)
        | PROCESSOR_NUMBER.place(cpu)
        | COMMON_LPI_AFF.place(1)
        | AFFINITY_VALUE.place(affinityValue(own.mpidr()));
  }

  private void declareLocal() {
    word(IGROUPR0, local.group1);
    bits(ISENABLER0, ICENABLER0, local.enabled);
    bits(ISACTIVER0, ICACTIVER0, local.active);
    ports.on(
        ISPENDR0,
        i -> Integer.toUnsignedLong(local.pending(0)),
        (i, v) -> local.setPending(0, (int) v));
    ports.on(
        ICPENDR0,
        i -> Integer.toUnsignedLong(local.pending(0)),
        (i, v) -> local.clearPending(0, (int) v));
    ports.on(IPRIORITYR, local::priorities, local::setPriorities).alsoBy(IPRIORITYR, Byte.BYTES);
    ports.on(
        ICFGR,
        local::config,
        (i, v) -> {
          if (i == 1) {
            local.setConfig(i, v);
          }
        });
  }

  private void word(Register register, int[] state) {
    ports.on(register, i -> Integer.toUnsignedLong(state[0]), (i, v) -> state[0] = (int) v);
  }

  private void bits(Register set, Register clear, int[] state) {
    ports.on(set, i -> Integer.toUnsignedLong(state[0]), (i, v) -> state[0] |= (int) v);
    ports.on(clear, i -> Integer.toUnsignedLong(state[0]), (i, v) -> state[0] &= (int) ~v);
  }

  @Override
  public BusRead read(long offset, int bytes) {
    if (!ports.answers(offset, bytes)) {
      return BusRead.error(bytes);
    }
    synchronized (monitor) {
      return BusRead.ok(ports.read(offset, bytes));
    }
  }

  @Override
  public BusOutcome write(long offset, long value, int bytes, int requester) {
    if (!ports.answers(offset, bytes)) {
      return BusOutcome.ERROR;
    }
    synchronized (monitor) {
      ports.write(offset, value, bytes);
    }
    return BusOutcome.OK;
  }

  private void writePendbaser(long value) {
    if (lpis == null) {
      pendingTableIsZero = PTZ.isSet(value);
      pendbaser = PENDBASER.access().visible(PENDBASER.legalize(pendbaser, value));
    }
  }

  private void writeCtlr(long value) {
    long next = CTLR.legalize(ctlr, value);
    if (ENABLE_LPIS.isSet(next) != ENABLE_LPIS.isSet(ctlr)) {
      lpis = ENABLE_LPIS.isSet(next) ? enabledLpis() : null;
      // The table in memory is the software's again: nobody changes it any more.
      arrivals.gate().drain();
    }
    ctlr = next;
  }

  /// INTIDs of fewer than 14 bits hold no LPI: all are then as if disabled.
  private LpiBank enabledLpis() {
    int idBits = Math.min(PROP_ID_BITS.getInt(propbaser) + 1, config.idBits());
    LpiBank bank =
        new LpiBank(
            memory,
            PROP_ADDRESS.get(propbaser),
            PEND_ADDRESS.get(pendbaser),
            idBits < LpiTables.MIN_ID_BITS ? 0 : idBits,
            config.priorityBits());
    bank.reloadAll();
    if (!pendingTableIsZero) {
      bank.load();
    }
    return bank;
  }

  void setPending(int intid) {
    int slot = arrivals.gate().enter();
    try {
      arrive(intid);
    } finally {
      arrivals.gate().leave(slot);
    }
  }

  /// Makes an LPI pending; inside the gate.
  void arrive(int intid) {
    LpiBank bank = lpis;
    if (bank == null || !bank.has(intid) || !bank.setPending(intid)) {
      arrivals.lost().increment();
    }
  }

  /// {@return whether the LPI was pending}
  boolean takePending(int intid) {
    int slot = arrivals.gate().enter();
    try {
      LpiBank bank = lpis;
      return bank != null && bank.has(intid) && bank.takePending(intid);
    } finally {
      arrivals.gate().leave(slot);
    }
  }

  void reload(int intid) {
    LpiBank bank = lpis;
    if (bank != null) {
      bank.reload(intid);
    }
  }

  void reloadAll() {
    LpiBank bank = lpis;
    if (bank != null) {
      bank.reloadAll();
    }
  }

  /// An LPI takes its cached configuration along, as software that moves it need not send INV. It stays where it is when the other
  /// Redistributor cannot hold it.
  void moveTo(GicrModel other, int intid) {
    LpiBank from = lpis;
    LpiBank to = other.lpis;
    if (from == null || !from.has(intid) || to == null || !to.has(intid)) {
      return;
    }
    to.setConfiguration(intid, from.configuration(intid));
    if (takePending(intid)) {
      other.setPending(intid);
    }
  }

  void moveAllTo(GicrModel other) {
    LpiBank from = lpis;
    if (from == null) {
      return;
    }
    for (int i = from.nextPending(LpiTables.FIRST_LPI); i >= 0; i = from.nextPending(i + 1)) {
      moveTo(other, i);
    }
  }

  /// {@return whether interrupts reach the CPU interface}
  boolean isAwake() {
    synchronized (monitor) {
      return !CHILDREN_ASLEEP.isSet(waker);
    }
  }

  long bestLpi() {
    LpiBank bank = lpis;
    return bank == null ? InterruptBank.NONE : bank.best();
  }

  /// {@return the most urgent SGI or PPI as a rank; under the Distributor's monitor}
  long bestLocal() {
    long best = InterruptBank.NONE;
    for (int left = local.deliverable(0); left != 0; left &= left - 1) {
      best = Math.min(best, local.rank(Integer.numberOfTrailingZeros(left)));
    }
    return best;
  }

  /// Under the Distributor's monitor.
  void activate(int intid) {
    local.activate(intid);
  }

  void deactivate(int intid) {
    synchronized (monitor) {
      local.deactivate(intid);
    }
  }
}
