package dev.doorbell.hw.gicv2;

import static dev.doorbell.hw.gicv2.GicdRegisters.*;

import dev.doorbell.bus.CpuInterface;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.explain.Source;
import dev.doorbell.irq.ArrivedInterrupts;
import dev.doorbell.irq.InterruptSink;
import dev.doorbell.irq.MsiControllerFailed;
import dev.doorbell.irq.SpiController;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/// Drives a GICv2 as far as message frames need it: SPIs, edge-triggered, each to one CPU.
///
/// An interrupt is taken by acknowledging it, at every CPU where the machine gives a way to its processors, or at the one CPU whose
/// GICC registers can be reached. Of SPIs that are routed elsewhere the pending state is read from the Distributor and cleared.
///
/// **Source**: IHI 0048B.b, 4.1.5 (initialisation), 4.3.
public final class GicV2Driver implements SpiController {
  /// Of every SPI: in the middle, so that software above may use both sides.
  private static final int MIDDLE = 0xa0;

  private static final int NOWHERE = -1;

  /// Acknowledgements at one CPU in one go, so that a device in a storm cannot hold the caller for ever.
  private static final int AT_ONCE = 4096;

  private final ReentrantLock lock = new ReentrantLock();
  private final GicV2Hardware hardware;
  private final RegisterBus gicd;
  private final Optional<GiccDriver> gicc;
  private final int lastSpi;
  private final int[] route;
  // By INTID: the CPU at which an SPI was acknowledged and from where nobody has collected it yet.
  // One that arrives again before counts once, as
  // it would while pending.
  private final int[] arrivedAt;
  private final ArrivedInterrupts arrived = new ArrivedInterrupts();

  private GicV2Driver(GicV2Hardware hardware, Optional<GiccDriver> gicc, int lastSpi) {
    this.hardware = hardware;
    this.gicd = hardware.distributor();
    this.gicc = gicc;
    this.lastSpi = lastSpi;
    route = new int[lastSpi + 1];
    arrivedAt = new int[lastSpi + 1];
    Arrays.fill(arrivedAt, NOWHERE);
  }

  /// {@return a driver of a GIC that has been initialised: every SPI disabled, not pending, at the first CPU}
  ///
  /// @throws MsiControllerFailed when it is no GICv2, or has not the CPUs that firmware tells of
  public static GicV2Driver open(GicV2Hardware hardware) {
    RegisterBus gicd = hardware.distributor();
    long arch = ARCH_REV.get(read(gicd, PIDR2.offset()));
    if (arch != 1 && arch != 2) {
      throw new MsiControllerFailed(
          hardware.id(), "is no GICv2 (ICPIDR2.ArchRev is " + arch + ")", Source.rule("ICPIDR2"));
    }
    long typer = read(gicd, TYPER.offset());
    int last = CPU_NUMBER.getInt(typer);
    for (int i : hardware.interfaces()) {
      if (i < 0 || i > last) {
        throw new MsiControllerFailed(
            hardware.id(),
            "has CPU interfaces 0 to %d and firmware tells of %d (GICD_TYPER 0x%x)"
                .formatted(last, i, typer),
            Source.rule("GICD_TYPER"));
      }
    }
    int lastSpi = Math.min((ITLINES_NUMBER.getInt(typer) + 1) * 32, SPI_LIMIT) - 1;
    GicV2Driver driver = new GicV2Driver(hardware, gicc(hardware), lastSpi);
    driver.initialise();
    return driver;
  }

  /// The byte of an SGI in GICD_ITARGETSR names the CPU that reads it; a GIC with one CPU answers zero.
  private static Optional<GiccDriver> gicc(GicV2Hardware hardware) {
    int self = BYTE_0.getInt(read(hardware.distributor(), ITARGETSR.offset(0)));
    int number = self == 0 ? 0 : Integer.numberOfTrailingZeros(self);
    int cpu = hardware.interfaces().indexOf(number);
    return cpu < 0
        ? Optional.empty()
        : hardware.cpuInterface().map(bus -> new GiccDriver(bus, cpu));
  }

  private void initialise() {
    gicd.write32(CTLR.offset(), 0);
    for (int word = 1; word <= lastSpi / 32; word++) {
      gicd.write32(ICENABLER.offset(word), -1);
      gicd.write32(ICPENDR.offset(word), -1);
      gicd.write32(ICACTIVER.offset(word), -1);
    }
    for (int i = FIRST_SPI / 4; i <= lastSpi / 4; i++) {
      gicd.write32(IPRIORITYR.offset(i), four(MIDDLE));
      if (!hardware.interfaces().isEmpty()) {
        gicd.write32(ITARGETSR.offset(i), four(target(0)));
      }
    }
    // One bit for both worlds, see GiccDriver.
    gicd.write32(CTLR.offset(), (int) ENABLE_GRP0.place(1));
    gicc.ifPresent(GiccDriver::initialise);
  }

  private static int four(int value) {
    return (int)
        (BYTE_0.place(value) | BYTE_1.place(value) | BYTE_2.place(value) | BYTE_3.place(value));
  }

  private int target(int cpu) {
    return 1 << hardware.interfaces().get(cpu);
  }

  @Override
  public String id() {
    return hardware.id();
  }

  @Override
  public int lastSpi() {
    return lastSpi;
  }

  @Override
  public int cpus() {
    return hardware.interfaces().size();
  }

  @Override
  public void configureEdge(int intid) {
    onSpi(
        intid,
        () -> {
          long offset = ICFGR.offset(intid / 16);
          gicd.write32(offset, gicd.read32(offset) | 2 << (intid % 16 * 2));
        });
  }

  @Override
  public void route(int intid, int cpu) {
    if (cpu < 0 || cpu >= cpus()) {
      throw new IllegalArgumentException(
          "%s has CPUs 0 to %d and not %d".formatted(id(), cpus() - 1, cpu));
    }
    onSpi(
        intid,
        () -> {
          gicd.write(ITARGETSR.offset() + intid, target(cpu), Byte.BYTES);
          route[intid] = cpu;
        });
  }

  @Override
  public void enable(int intid) {
    onSpi(intid, () -> gicd.write32(ISENABLER.offset(intid / 32), bit(intid)));
  }

  @Override
  public void disable(int intid) {
    onSpi(intid, () -> gicd.write32(ICENABLER.offset(intid / 32), bit(intid)));
  }

  @Override
  public boolean isPending(int intid) {
    checkSpi(intid);
    lock.lock();
    try {
      return arrivedAt[intid] != NOWHERE
          || (gicd.read32(ISPENDR.offset(intid / 32)) & bit(intid)) != 0;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void setPending(int intid) {
    onSpi(intid, () -> gicd.write32(ISPENDR.offset(intid / 32), bit(intid)));
  }

  @Override
  public void clearPending(int intid) {
    onSpi(
        intid,
        () -> {
          gicd.write32(ICPENDR.offset(intid / 32), bit(intid));
          arrivedAt[intid] = NOWHERE;
        });
  }

  /// An SPI that was acknowledged and disabled since waits until it is enabled again.
  @Override
  public int collect(int firstIntid, int lastIntid, InterruptSink sink) {
    checkSpi(firstIntid);
    checkSpi(lastIntid);
    ArrivedInterrupts.Round round = arrived.begin();
    lock.lock();
    try {
      acknowledgeAll();
      for (int word = firstIntid / 32; word <= lastIntid / 32; word++) {
        int enabled = gicd.read32(ISENABLER.offset(word));
        takePending(word, enabled);
        for (int left = enabled; left != 0; left &= left - 1) {
          int intid = word * 32 + Integer.numberOfTrailingZeros(left);
          if (intid >= firstIntid && intid <= lastIntid && arrivedAt[intid] != NOWHERE) {
            round.arrived(intid, arrivedAt[intid]);
            arrivedAt[intid] = NOWHERE;
          }
        }
      }
    } finally {
      lock.unlock();
    }
    return round.deliver(sink);
  }

  private void acknowledgeAll() {
    if (hardware.processors().isPresent()) {
      CpuInterface processors = hardware.processors().get();
      for (int cpu = 0; cpu < processors.cpus(); cpu++) {
        for (int i = 0; i < AT_ONCE; i++) {
          int intid = processors.acknowledge(cpu);
          if (intid == CpuInterface.NONE) {
            break;
          }
          processors.endOfInterrupt(cpu, intid);
          arrived(intid, cpu);
        }
      }
    } else if (gicc.isPresent()) {
      GiccDriver own = gicc.get();
      for (int i = 0; i < AT_ONCE; i++) {
        int intid = own.acknowledge();
        if (intid == CpuInterface.NONE) {
          break;
        }
        own.endOfInterrupt();
        arrived(intid, own.cpu());
      }
    }
  }

  /// SGIs and PPIs are nobody's here.
  private void arrived(int intid, int cpu) {
    if (intid >= FIRST_SPI && intid <= lastSpi) {
      arrivedAt[intid] = cpu;
    }
  }

  /// SPIs whose CPU cannot acknowledge. Cleared before they are reported: a message that comes in between is pending again and not lost.
  private void takePending(int word, int enabled) {
    if (hardware.processors().isPresent()) {
      return;
    }
    int pending = gicd.read32(ISPENDR.offset(word)) & enabled;
    for (int left = pending; left != 0; left &= left - 1) {
      int intid = word * 32 + Integer.numberOfTrailingZeros(left);
      boolean acknowledged = gicc.isPresent() && gicc.get().cpu() == route[intid];
      if (intid <= lastSpi && !acknowledged) {
        gicd.write32(ICPENDR.offset(word), bit(intid));
        arrivedAt[intid] = route[intid];
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
    if (intid < FIRST_SPI || intid > lastSpi) {
      throw new IllegalArgumentException(
          "%s has SPIs 32 to %d and not %d".formatted(id(), lastSpi, intid));
    }
  }

  private static int bit(int intid) {
    return 1 << (intid % 32);
  }

  private static long read(RegisterBus bus, long offset) {
    return Integer.toUnsignedLong(bus.read32(offset));
  }
}
