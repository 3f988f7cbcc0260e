package dev.doorbell.hw.gicv3;

import dev.doorbell.bus.AccessGate;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.CpuInterface;
import dev.doorbell.bus.InterruptLine;
import dev.doorbell.bus.MmioDevice;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.irq.LpiPort;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;

/// A GICv3 that behaves as the architecture says: one Security state, affinity routing, LPIs. Register accesses and interrupts take
/// effect before the access or the call returns.
///
/// The pending state of LPIs is the pending table in memory. The configuration of LPIs is cached from the moment they are enabled
/// until INV or INVALL. Processors acknowledge through {@link CpuInterface}.
///
/// **Source**: IHI 0069 H. Left out: Group 0 delivery, two Security states, extended SPIs and PPIs, message-based SGIs, NMIs, virtual
/// interrupts (`docs/caveats.md`).
public final class GicV3Model implements CpuInterface, LpiPort {
  private final GicV3Config config;
  private final GicdModel distributor;
  private final GicrModel[] redistributors;
  private final List<CpuInterfaceModel> interfaces = new ArrayList<>();
  private final LpiArrivals arrivals = new LpiArrivals(new AccessGate(), new LongAdder());

  public GicV3Model(GicV3Config config, PhysicalMemory memory) {
    this.config = config;
    distributor = new GicdModel(config);
    redistributors = new GicrModel[config.cpus().size()];
    for (int cpu = 0; cpu < config.cpus().size(); cpu++) {
      GicrModel redistributor = new GicrModel(config, cpu, distributor, memory, arrivals);
      redistributors[cpu] = redistributor;
      interfaces.add(new CpuInterfaceModel(cpu, distributor, redistributor));
    }
  }

  /// {@return the Distributor's registers, 64 KiB}
  public MmioDevice distributor() {
    return distributor;
  }

  /// {@return one Redistributor's registers, 128 KiB}
  public MmioDevice redistributor(int cpu) {
    return redistributors[cpu];
  }

  /// {@return a run of Redistributors' registers, 128 KiB each, one after another}
  public MmioDevice redistributors(int firstCpu, int count) {
    return new Row(List.of(redistributors).subList(firstCpu, firstCpu + count));
  }

  /// {@return the wire of an SPI}
  ///
  /// @throws IllegalArgumentException when the GIC has no such SPI
  public InterruptLine spi(int intid) {
    if (!distributor.isSpi(intid)) {
      throw new IllegalArgumentException(
          "the GIC has SPIs 32 to %d and not %d".formatted(31 + config.spis(), intid));
    }
    return level -> distributor.drive(intid, level);
  }

  /// Sets ICC_PMR_EL1: interrupts must be of a lower number than this.
  ///
  /// @param mask 0 to 255
  public void setPriorityMask(int cpu, int mask) {
    interfaces.get(cpu).setPriorityMask(mask);
  }

  /// {@return LPIs that arrived where LPIs are not enabled, are out of range, or whose pending table cannot be reached}
  public long lostLpis() {
    return arrivals.lost().sum();
  }

  @Override
  public int cpus() {
    return config.cpus().size();
  }

  @Override
  public int acknowledge(int cpu) {
    return interfaces.get(cpu).acknowledge();
  }

  @Override
  public void endOfInterrupt(int cpu, int intid) {
    interfaces.get(cpu).endOfInterrupt(intid);
  }

  @Override
  public AccessGate gate() {
    return arrivals.gate();
  }

  @Override
  public boolean hasTarget(int target) {
    return target >= 0 && target < redistributors.length;
  }

  @Override
  public int targetAt(long physicalAddress) {
    for (int cpu = 0; cpu < config.cpus().size(); cpu++) {
      if (config.cpus().get(cpu).redistributor() == physicalAddress) {
        return cpu;
      }
    }
    return -1;
  }

  @Override
  public boolean isLpi(long intid) {
    return intid >= LpiTables.FIRST_LPI && intid < 1L << config.idBits();
  }

  @Override
  public void setPending(int target, int intid) {
    if (hasTarget(target)) {
      redistributors[target].setPending(intid);
    } else {
      arrivals.lost().increment();
    }
  }

  @Override
  public void arrive(int target, int intid) {
    if (hasTarget(target)) {
      redistributors[target].arrive(intid);
    } else {
      arrivals.lost().increment();
    }
  }

  @Override
  public void clearPending(int target, int intid) {
    if (hasTarget(target)) {
      redistributors[target].takePending(intid);
    }
  }

  @Override
  public void move(int from, int to, int intid) {
    if (from != to && hasTarget(from) && hasTarget(to)) {
      redistributors[from].moveTo(redistributors[to], intid);
    }
  }

  @Override
  public void moveAll(int from, int to) {
    if (from != to && hasTarget(from) && hasTarget(to)) {
      redistributors[from].moveAllTo(redistributors[to]);
    }
  }

  @Override
  public void reload(int target, int intid) {
    if (hasTarget(target)) {
      redistributors[target].reload(intid);
    }
  }

  @Override
  public void reloadAll(int target) {
    if (hasTarget(target)) {
      redistributors[target].reloadAll();
    }
  }

  private record Row(List<GicrModel> frames) implements MmioDevice {
    @Override
    public BusRead read(long offset, int bytes) {
      int frame = frame(offset);
      return frame < 0
          ? BusRead.error(bytes)
          : frames.get(frame).read(offset % GicrRegisters.BYTES, bytes);
    }

    @Override
    public BusOutcome write(long offset, long value, int bytes, int requester) {
      int frame = frame(offset);
      return frame < 0
          ? BusOutcome.ERROR
          : frames.get(frame).write(offset % GicrRegisters.BYTES, value, bytes, requester);
    }

    private int frame(long offset) {
      long frame = offset / GicrRegisters.BYTES;
      return offset >= 0 && frame < frames.size() ? (int) frame : -1;
    }
  }
}
