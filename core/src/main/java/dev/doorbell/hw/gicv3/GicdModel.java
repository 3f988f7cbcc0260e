package dev.doorbell.hw.gicv3;

import static dev.doorbell.hw.gicv3.GicdRegisters.*;

import dev.doorbell.bits.RegisterPorts;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.MmioDevice;

/// The Distributor: SPIs and where they go. One Security state, affinity routing only.
///
/// Its monitor guards all SPIs and, for the CPU interfaces' searches, the Redistributors' SGIs and PPIs.
///
/// **Source**: IHI 0069 H, 12.9.
final class GicdModel implements MmioDevice {
  private static final int PIDR2_GICV3 = (int) ARCH_REV.place(3);

  private final GicV3Config config;
  private final InterruptBank spis;
  private final long[] route;
  private final RegisterPorts ports = new RegisterPorts(MAP);
  private final int limit;
  private long ctlr = CTLR.reset();

  GicdModel(GicV3Config config) {
    this.config = config;
    limit = Math.min(SPI_LIMIT, FIRST_SPI + config.spis());
    spis = new InterruptBank((FIRST_SPI + config.spis()) / 32, config.priorityBits());
    route = new long[FIRST_SPI + config.spis()];
    long typer =
        ITLINES_NUMBER.place(config.spis() / 32)
            | MBIS.place(config.messageSpis() ? 1 : 0)
            | LPIS.place(1)
            | ID_BITS.place(config.idBits() - 1)
            | A3V.place(1);
    ports.on(CTLR, i -> ctlr, (i, v) -> ctlr = CTLR.legalize(ctlr, v) | ARE.mask());
    ports.on(TYPER, i -> typer);
    ports.on(PIDR2, i -> PIDR2_GICV3);
    ports.on(SETSPI_NSR, i -> 0, (i, v) -> message(v, true)).alsoBy(SETSPI_NSR, Short.BYTES);
    ports.on(CLRSPI_NSR, i -> 0, (i, v) -> message(v, false)).alsoBy(CLRSPI_NSR, Short.BYTES);
    declareState();
  }

  private void declareState() {
    ports.on(IGROUPR, i -> word(spis.group1, i), (i, v) -> set(spis.group1, i, (int) v));
    ports.on(ISENABLER, i -> word(spis.enabled, i), (i, v) -> setBits(spis.enabled, i, v));
    ports.on(ICENABLER, i -> word(spis.enabled, i), (i, v) -> clearBits(spis.enabled, i, v));
    ports.on(
        ISPENDR,
        i -> has(i) ? Integer.toUnsignedLong(spis.pending(i)) : 0,
        (i, v) -> {
          if (has(i)) {
            spis.setPending(i, (int) v & existing(i));
          }
        });
    ports.on(
        ICPENDR,
        i -> has(i) ? Integer.toUnsignedLong(spis.pending(i)) : 0,
        (i, v) -> {
          if (has(i)) {
            spis.clearPending(i, (int) v);
          }
        });
    ports.on(ISACTIVER, i -> word(spis.active, i), (i, v) -> setBits(spis.active, i, v));
    ports.on(ICACTIVER, i -> word(spis.active, i), (i, v) -> clearBits(spis.active, i, v));
    ports
        .on(
            IPRIORITYR,
            i -> has(i / 8) ? spis.priorities(i) : 0,
            (i, v) -> {
              if (has(i / 8)) {
                spis.setPriorities(i, v);
              }
            })
        .alsoBy(IPRIORITYR, Byte.BYTES);
    ports.alsoBy(ITARGETSR, Byte.BYTES);
    ports.on(
        ICFGR,
        i -> has(i / 2) ? spis.config(i) : 0,
        (i, v) -> {
          if (has(i / 2)) {
            spis.setConfig(i, v);
          }
        });
    ports.on(
        IROUTER,
        i -> isSpi(i) ? route[i] : 0,
        (i, v) -> {
          if (isSpi(i)) {
            route[i] = IROUTER.legalize(route[i], v);
          }
        });
  }

  @Override
  public BusRead read(long offset, int bytes) {
    if (!ports.answers(offset, bytes)) {
      return BusRead.error(bytes);
    }
    synchronized (this) {
      return BusRead.ok(ports.read(offset, bytes));
    }
  }

  @Override
  public BusOutcome write(long offset, long value, int bytes, int requester) {
    if (!ports.answers(offset, bytes)) {
      return BusOutcome.ERROR;
    }
    synchronized (this) {
      ports.write(offset, value, bytes);
    }
    return BusOutcome.OK;
  }

  synchronized void drive(int intid, boolean level) {
    spis.drive(intid, level);
  }

  boolean isSpi(int intid) {
    return intid >= FIRST_SPI && intid < limit;
  }

  /// {@return whether Group 1 interrupts are forwarded at all}
  synchronized boolean forwards() {
    return ENABLE_GRP1.isSet(ctlr);
  }

  /// {@return the most urgent SPI for a processor as a rank, or {@link InterruptBank#NONE}; under this object's monitor}
  long best(int cpu) {
    long best = InterruptBank.NONE;
    for (int word = 1; word < spis.words(); word++) {
      for (int left = spis.deliverable(word); left != 0; left &= left - 1) {
        int intid = word * 32 + Integer.numberOfTrailingZeros(left);
        if (routedTo(intid, cpu)) {
          best = Math.min(best, spis.rank(intid));
        }
      }
    }
    return best;
  }

  /// Under this object's monitor.
  void activate(int intid) {
    spis.activate(intid);
  }

  synchronized void deactivate(int intid) {
    spis.deactivate(intid);
  }

  /// An SPI of any participating processor (IRM) is offered to all of them; the first to acknowledge has it.
  private boolean routedTo(int intid, int cpu) {
    long r = route[intid];
    if (IRM.isSet(r)) {
      return true;
    }
    long mpidr = config.cpus().get(cpu).mpidr();
    long affinity = AFF0.mask() | AFF1.mask() | AFF2.mask() | AFF3.mask();
    return ((r ^ mpidr) & affinity) == 0;
  }

  private void message(long value, boolean set) {
    int intid = SPI_INTID.getInt(value);
    if (!config.messageSpis() || !isSpi(intid)) {
      return;
    }
    int bit = 1 << (intid % 32);
    if (set) {
      spis.setPending(intid / 32, bit);
    } else {
      spis.clearPending(intid / 32, bit);
    }
  }

  /// The first word is the Redistributors'.
  private boolean has(int word) {
    return word >= 1 && word < spis.words();
  }

  private int existing(int word) {
    int beyond = (word + 1) * 32 - limit;
    return beyond <= 0 ? -1 : -1 >>> beyond;
  }

  private long word(int[] state, int i) {
    return has(i) ? Integer.toUnsignedLong(state[i]) : 0;
  }

  private void set(int[] state, int i, int value) {
    if (has(i)) {
      state[i] = value & existing(i);
    }
  }

  private void setBits(int[] state, int i, long bits) {
    if (has(i)) {
      state[i] |= (int) bits & existing(i);
    }
  }

  private void clearBits(int[] state, int i, long bits) {
    if (has(i)) {
      state[i] &= (int) ~bits;
    }
  }
}
