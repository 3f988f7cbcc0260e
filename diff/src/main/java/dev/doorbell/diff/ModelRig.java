package dev.doorbell.diff;

import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.MmioDevice;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.bus.Translator;
import dev.doorbell.hw.gicits.GitsRegisters;
import dev.doorbell.hw.gicits.ItsConfig;
import dev.doorbell.hw.gicits.ItsModel;
import dev.doorbell.hw.gicv2.GicV2Config;
import dev.doorbell.hw.gicv2.GicV2Model;
import dev.doorbell.hw.gicv2.GiccRegisters;
import dev.doorbell.hw.gicv2.GicdRegisters;
import dev.doorbell.hw.gicv2m.GicV2mModel;
import dev.doorbell.hw.gicv2m.GicV2mRegisters;
import dev.doorbell.hw.gicv3.GicV3Config;
import dev.doorbell.hw.gicv3.GicV3Model;
import dev.doorbell.hw.gicv3.GicrRegisters;
import dev.doorbell.hw.smmuv3.SmmuFeatures;
import dev.doorbell.hw.smmuv3.SmmuModel;
import java.util.ArrayList;
import java.util.List;

/// Doorbell's own models at the places of {@link Board}.
final class ModelRig implements Rig, SystemBus {
  private static final int SPIS = 256;
  private static final int PRIORITY_BITS = 8;
  private static final long DISTRIBUTOR_BYTES = 0x1_0000;

  /// More than one scenario uses; each invalidation goes through all of them.
  private static final int CACHED = 256;

  private final Hardware hardware;
  private final SmmuFeatures features;
  private final FlatMemory memory = FlatMemory.ofBoard();
  private final List<Window> windows = new ArrayList<>();
  private Translator translator = (_, _, iova, _) -> iova;
  private long landed = -1;
  private int overwritten;

  private record Window(long start, long bytes, MmioDevice device) {}

  /// @param features of the SMMU
  ModelRig(Hardware hardware, SmmuFeatures features) {
    this.hardware = hardware;
    this.features = features.withCachedTranslations(CACHED);
    reset();
  }

  @Override
  public String name() {
    return "model";
  }

  @Override
  public void reset() {
    windows.clear();
    switch (hardware) {
      case SMMUV3, SMMUV3_FULL -> {
        SmmuLines lines = new SmmuLines();
        SmmuModel smmu = new SmmuModel(features, memory, this, lines.wires());
        translator = smmu;
        windows.add(new Window(Board.SMMU, SmmuModel.WINDOW_BYTES, smmu));
        if (hardware == Hardware.SMMUV3_FULL) {
          windows.add(new Window(Board.GICD, DISTRIBUTOR_BYTES, lines));
        }
      }
      case ITS -> its();
      case GICV2M -> {
        GicV2Model gic = new GicV2Model(new GicV2Config(1, SPIS, PRIORITY_BITS));
        windows.add(new Window(Board.GICD, GicdRegisters.BYTES, gic.distributor(0)));
        windows.add(new Window(Board.GICC, GiccRegisters.BYTES, gic.cpuInterface(0)));
        windows.add(
            new Window(
                Board.V2M,
                GicV2mRegisters.BYTES,
                new GicV2mModel(Board.V2M_FIRST, Board.V2M_COUNT, gic::spi)));
      }
      case VTD, VTD_SCALABLE, VTD_FIRST_STAGE, AMDVI, RISCV_IOMMU ->
          throw new IllegalArgumentException(hardware + " is none of Arm's");
    }
  }

  private void its() {
    List<Long> mpidrs = new ArrayList<>();
    for (long cpu = 0; cpu < Board.GICV3_CPUS; cpu++) {
      mpidrs.add(cpu);
    }
    GicV3Model gic = new GicV3Model(GicV3Config.of(mpidrs, Board.GICR), memory);
    windows.add(new Window(Board.GICD, DISTRIBUTOR_BYTES, gic.distributor()));
    windows.add(
        new Window(
            Board.GICR,
            Board.GICV3_CPUS * GicrRegisters.BYTES,
            gic.redistributors(0, Board.GICV3_CPUS)));
    windows.add(
        new Window(
            Board.ITS, GitsRegisters.MAP.bytes(), new ItsModel(ItsConfig.QEMU, memory, gic)));
  }

  @Override
  public PhysicalMemory memory() {
    return memory;
  }

  @Override
  public void write(long address, long value, int bytes) {
    if (write(address, value, bytes, CPU) == BusOutcome.ERROR) {
      throw new BusErrorException("write", address, bytes);
    }
  }

  @Override
  public void store(long address, List<Long> words) {
    for (int i = words.size() - 1; i >= 0; i--) {
      memory.write64(address + (long) i * Long.BYTES, words.get(i));
    }
  }

  @Override
  public void settle() {}

  @Override
  public long[] ask(List<Place> places) {
    long[] out = new long[places.size()];
    for (int i = 0; i < out.length; i++) {
      BusRead read = read(places.get(i).address(), places.get(i).bytes());
      if (read.outcome() == BusOutcome.ERROR) {
        throw new BusErrorException("read", places.get(i).address(), places.get(i).bytes());
      }
      out[i] = read.value();
    }
    return out;
  }

  @Override
  public void message(int requester, long address, int data) {
    landed = -1;
    translator.begin();
    try {
      long pa = translator.translate(requester, -1, address, Translator.WRITE);
      if (pa != Translator.FAULT) {
        if (memory.holds(pa, Integer.BYTES)) {
          landed = pa;
          overwritten = memory.read32(pa);
        }
        // A write that nothing takes is lost, as the device does not wait for an answer.
        write(pa, Integer.toUnsignedLong(data), Integer.BYTES, requester);
      }
    } finally {
      translator.end();
    }
  }

  @Override
  public long fetch(int requester, long address) {
    if (hardware != Hardware.SMMUV3_FULL) {
      throw new IllegalArgumentException(
          "of %s no device reads; %s has such devices"
              .formatted(hardware.id(), Hardware.SMMUV3_FULL.id()));
    }
    translator.begin();
    try {
      long pa = translator.translate(requester, -1, address, Translator.READ);
      if (pa == Translator.FAULT) {
        return 0;
      }
      return memory.holds(pa, Integer.BYTES)
          ? Integer.toUnsignedLong(memory.read32(pa))
          : OUTSIDE_RAM;
    } finally {
      translator.end();
    }
  }

  /// {@return where in memory the last message was written, or -1}
  long landed() {
    return landed;
  }

  /// {@return the four bytes that were there before}
  int overwritten() {
    return overwritten;
  }

  @Override
  public BusOutcome write(long pa, long value, int bytes, int requester) {
    if (memory.holds(pa, bytes)) {
      memory.write(pa, value, bytes);
      return BusOutcome.OK;
    }
    for (Window w : windows) {
      if (pa >= w.start && pa <= w.start + w.bytes - bytes) {
        return w.device.write(pa - w.start, value, bytes, requester);
      }
    }
    return BusOutcome.ERROR;
  }

  @Override
  public BusRead read(long pa, int bytes) {
    if (memory.holds(pa, bytes)) {
      return BusRead.ok(memory.read(pa, bytes));
    }
    for (Window w : windows) {
      if (pa >= w.start && pa <= w.start + w.bytes - bytes) {
        return w.device.read(pa - w.start, bytes);
      }
    }
    return BusRead.error(bytes);
  }

  @Override
  public void close() {}
}
