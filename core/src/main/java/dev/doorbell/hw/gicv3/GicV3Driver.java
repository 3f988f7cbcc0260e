package dev.doorbell.hw.gicv3;

import static dev.doorbell.hw.gicv3.LpiTables.FIRST_LPI;

import dev.doorbell.address.Pa;
import dev.doorbell.bits.BitKind;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.Rollback;
import dev.doorbell.irq.ArrivedInterrupts;
import dev.doorbell.irq.InterruptSink;
import dev.doorbell.irq.LpiPool;
import dev.doorbell.irq.MsiControllerFailed;
import dev.doorbell.irq.SpiController;
import java.util.BitSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// Drives a GICv3: brings up the Distributor and every CPU's Redistributor with LPI tables, and shares out LPIs (to ITS drivers) and
/// SPIs (to drivers of message frames).
///
/// An interrupt is taken by acknowledging at the CPU interface where the machine has one. Otherwise its pending state is read: an SPI's from
/// the Distributor, an LPI's from the pending table in memory.
///
/// **Source**: IHI 0069 H, 4 to 6 and 12.
public final class GicV3Driver implements LpiPool, SpiController {
  /// Bits of an INTID that tables are made for; more would only cost memory.
  private static final int MOST_ID_BITS = 16;

  private static final long TABLE_ALIGNMENT = 0x10000;
  private static final byte DISABLED =
      (byte) (LpiTables.PRIORITY.place(GicdDriver.PRIORITY) | LpiTables.CONFIG.mask(BitKind.RES1));
  private static final byte ENABLED = (byte) (DISABLED | LpiTables.ENABLE.mask());

  private final ReentrantLock lock = new ReentrantLock();
  private final GicV3Hardware hardware;
  private final GicdDriver distributor;
  private final List<GicrDriver> redistributors;
  private final int idBits;
  private final long configTable;
  private final LpiLedger ledger;
  private final BitSet enabledLpis = new BitSet();
  private final Arrivals arrivals = new Arrivals();
  private final ArrivedInterrupts arrived = new ArrivedInterrupts();
  private final int[] spiCpu;

  private GicV3Driver(
      GicV3Hardware hardware,
      GicdDriver distributor,
      List<GicrDriver> redistributors,
      long configTable,
      int idBits) {
    this.hardware = hardware;
    this.distributor = distributor;
    this.redistributors = List.copyOf(redistributors);
    this.configTable = configTable;
    this.idBits = idBits;
    ledger = new LpiLedger((int) Math.min(LpiTables.configBytes(idBits), distributor.lpis()));
    spiCpu = new int[distributor.lastSpi() + 1];
  }

  /// {@return a driver of a GIC that has been initialised}
  ///
  /// @throws MsiControllerFailed when it is no GICv3 with LPIs, a CPU has no Redistributor, or the hardware does not answer as promised
  /// @throws dev.doorbell.bus.OutOfFramesException when there is no memory for its tables
  public static GicV3Driver open(GicV3Hardware hardware) {
    GicdDriver distributor = new GicdDriver(hardware.id(), hardware.distributor());
    int idBits = Math.min(distributor.idBits(), MOST_ID_BITS);
    try (Rollback rollback = new Rollback()) {
      long config = take(hardware.frames(), LpiTables.configBytes(idBits), rollback);
      hardware.memory().fill(config, LpiTables.configBytes(idBits), DISABLED);
      long pendingBytes = LpiTables.pendingBytes(idBits);
      RedistributorSearch search = new RedistributorSearch(hardware);
      List<GicrDriver> redistributors =
          search.find(() -> take(hardware.frames(), pendingBytes, rollback));
      hardware.memory().publish();
      distributor.initialise();
      for (GicrDriver redistributor : redistributors) {
        redistributor.initialise(config, idBits);
        rollback.add(redistributor::stopLpis);
      }
      GicV3Driver driver = new GicV3Driver(hardware, distributor, redistributors, config, idBits);
      rollback.commit();
      return driver;
    }
  }

  private static long take(Frames frames, long bytes, Rollback rollback) {
    Pa pa = frames.allocate(bytes, TABLE_ALIGNMENT);
    rollback.add(() -> frames.free(pa, bytes));
    return pa.value();
  }

  @Override
  public String id() {
    return hardware.id();
  }

  @Override
  public int cpus() {
    return redistributors.size();
  }

  // LPIs

  @Override
  public long target(int cpu, boolean byAddress) {
    checkCpu(cpu);
    GicrDriver redistributor = redistributors.get(cpu);
    return byAddress
        ? GicrRegisters.RD_BASE_TARGET.get(redistributor.address())
        : redistributor.processorNumber();
  }

  @Override
  public int free() {
    lock.lock();
    try {
      return ledger.free();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public int idBits() {
    return idBits;
  }

  @Override
  public Optional<Lease> allocate(String controller, int count) {
    lock.lock();
    try {
      int[] intids = ledger.take(controller, count);
      return intids == null ? Optional.empty() : Optional.of(new LpiLease(intids));
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void setEnabled(int intid, boolean enabled) {
    lock.lock();
    try {
      checkHeld(intid);
      PhysicalMemory memory = hardware.memory();
      memory.write(
          configTable + LpiTables.configOffset(intid), enabled ? ENABLED : DISABLED, Byte.BYTES);
      memory.publish();
      enabledLpis.set(intid - FIRST_LPI, enabled);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public boolean isPending(int cpu, int intid) {
    checkCpu(cpu);
    long at = redistributors.get(cpu).pendingTable() + LpiTables.pendingOffset(intid);
    return (hardware.memory().read(at, Byte.BYTES) & LpiTables.pendingBit(intid)) != 0;
  }

  @Override
  public void forget(int intid) {
    lock.lock();
    try {
      arrivals.forget(intid);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public boolean acknowledges() {
    return hardware.cpuInterface().isPresent();
  }

  @Override
  public int collect(String controller, InterruptSink sink) {
    return collect(FIRST_LPI, Integer.MAX_VALUE, controller, sink);
  }

  /// Interrupts that nobody holds any more are forgotten; those that are not wanted now wait.
  private int collect(int first, int last, @Nullable String holder, InterruptSink sink) {
    ArrivedInterrupts.Round round = arrived.begin();
    lock.lock();
    try {
      if (hardware.cpuInterface().isPresent()) {
        arrivals.drain(hardware.cpuInterface().get());
      }
      for (int i = 0; i < arrivals.count(); i++) {
        int intid = arrivals.intid(i);
        if (intid >= first && intid <= last && isWanted(intid, holder)) {
          round.arrived(intid, arrivals.cpu(i));
          arrivals.drop(i);
        } else if (isNobodys(intid)) {
          arrivals.drop(i);
        }
      }
      arrivals.close();
    } finally {
      lock.unlock();
    }
    return round.deliver(sink);
  }

  private boolean isWanted(int intid, @Nullable String holder) {
    return intid >= FIRST_LPI
        ? enabledLpis.get(intid - FIRST_LPI) && Objects.equals(holder, ledger.holder(intid))
        : distributor.isEnabled(intid);
  }

  private boolean isNobodys(int intid) {
    return intid < GicdRegisters.FIRST_SPI || (intid >= FIRST_LPI && !ledger.holds(intid));
  }

  private final class LpiLease implements Lease {
    private final int[] intids;
    private boolean released;

    LpiLease(int[] intids) {
      this.intids = intids;
    }

    @Override
    public int count() {
      return intids.length;
    }

    @Override
    public int intid(int index) {
      return intids[index];
    }

    @Override
    public void release() {
      lock.lock();
      try {
        if (released) {
          return;
        }
        released = true;
        for (int intid : intids) {
          arrivals.forget(intid);
          ledger.giveBack(intid);
        }
      } finally {
        lock.unlock();
      }
    }
  }

  // SPIs

  @Override
  public int lastSpi() {
    return distributor.lastSpi();
  }

  @Override
  public void configureEdge(int intid) {
    onSpi(intid, () -> distributor.configureEdge(intid));
  }

  @Override
  public void route(int intid, int cpu) {
    checkCpu(cpu);
    onSpi(
        intid,
        () -> {
          distributor.route(intid, hardware.mpidrs().get(cpu));
          spiCpu[intid] = cpu;
        });
  }

  @Override
  public void enable(int intid) {
    onSpi(intid, () -> distributor.enable(intid));
  }

  @Override
  public void disable(int intid) {
    onSpi(intid, () -> distributor.disable(intid));
  }

  @Override
  public boolean isPending(int intid) {
    checkSpi(intid);
    lock.lock();
    try {
      return arrivals.has(intid) || distributor.isPending(intid);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void setPending(int intid) {
    onSpi(intid, () -> distributor.setPending(intid));
  }

  @Override
  public void clearPending(int intid) {
    onSpi(
        intid,
        () -> {
          distributor.clearPending(intid);
          arrivals.forget(intid);
        });
  }

  @Override
  public int collect(int firstIntid, int lastIntid, InterruptSink sink) {
    checkSpi(firstIntid);
    checkSpi(lastIntid);
    lock.lock();
    try {
      if (!acknowledges()) {
        takePending(firstIntid, lastIntid);
      }
    } finally {
      lock.unlock();
    }
    return collect(firstIntid, lastIntid, null, sink);
  }

  /// Cleared before it is reported: a message that comes in between is pending again and not lost.
  private void takePending(int firstIntid, int lastIntid) {
    for (int word = firstIntid / 32; word <= lastIntid / 32; word++) {
      for (int left = distributor.readyInWord(word); left != 0; left &= left - 1) {
        int intid = word * 32 + Integer.numberOfTrailingZeros(left);
        if (intid >= firstIntid && intid <= lastIntid) {
          distributor.clearPending(intid);
          arrivals.add(intid, spiCpu[intid]);
        }
      }
    }
  }

  private void onSpi(int intid, Runnable action) {
    checkSpi(intid);
    lock.lock();
    try {
      action.run();
    } finally {
      lock.unlock();
    }
  }

  private void checkSpi(int intid) {
    if (intid < GicdRegisters.FIRST_SPI || intid > lastSpi()) {
      throw new IllegalArgumentException(
          "%s has SPIs 32 to %d and not %d".formatted(id(), lastSpi(), intid));
    }
  }

  private void checkCpu(int cpu) {
    if (cpu < 0 || cpu >= cpus()) {
      throw new IllegalArgumentException(
          "%s has CPUs 0 to %d and not %d".formatted(id(), cpus() - 1, cpu));
    }
  }

  private void checkHeld(int intid) {
    if (!ledger.holds(intid)) {
      throw new IllegalStateException("LPI " + intid + " of " + id() + " belongs to nobody");
    }
  }
}
