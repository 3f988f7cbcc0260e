package dev.doorbell.hw;

import dev.doorbell.bus.BusException;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.MmioDevice;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.fuzz.FuzzInput;
import dev.doorbell.hw.gicv2.GicV2Config;
import dev.doorbell.hw.gicv2.GicV2Model;
import dev.doorbell.hw.gicv2m.GicV2mModel;
import dev.doorbell.hw.gicv3.GicV3Config;
import dev.doorbell.hw.gicv3.GicV3Model;
import dev.doorbell.hw.imsic.ImsicModel;
import dev.doorbell.hw.lapic.LapicModel;
import dev.doorbell.hw.mpic.MpicMsiModel;
import dev.doorbell.simple.PlainMemory;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.function.IntUnaryOperator;
import org.jspecify.annotations.Nullable;

/// Interrupt controllers whose registers are any: each access is answered, and an acknowledged interrupt is one that there is.
public final class ControllersFuzz {
  private static final int CPUS = 2;
  private static final int SPIS = 64;
  private static final long MEMORY = 0x4000_0000L;
  private static final int SPAN = 0x4_0000;
  private static final int MOST_STEPS = 256;
  private static final int SPURIOUS = 1023;
  private static final int IDENTITIES = 63;
  private static final int LPI_BITS = 14;
  private static final int FIRST_LPI = 8192;
  private static final int X2APIC = 0x800;
  private static final int DEVICE = 0x108;

  private final List<MmioDevice> devices = new ArrayList<>();
  private IntUnaryOperator acknowledge = _ -> -1;
  private IntConsumer end = _ -> {};
  private int most;
  private @Nullable LapicModel lapic;
  private @Nullable ImsicModel imsic;

  private ControllersFuzz() {}

  public static void run(byte[] input) {
    FuzzInput in = new FuzzInput(input);
    ControllersFuzz fuzz = new ControllersFuzz();
    switch (in.next8() % 5) {
      case 0 -> fuzz.gicV3();
      case 1 -> fuzz.gicV2();
      case 2 -> fuzz.lapic();
      case 3 -> fuzz.imsic();
      default -> {
        MpicMsiModel mpic = new MpicMsiModel((in.next8() & 1) == 1);
        fuzz.devices.add(mpic);
        fuzz.devices.add(mpic.alias());
      }
    }
    for (int steps = 0; steps < MOST_STEPS && !in.isEmpty(); steps++) {
      fuzz.step(in);
    }
  }

  private void gicV3() {
    GicV3Model gic =
        new GicV3Model(
            new GicV3Config(
                GicV3Config.of(List.of(0L, 1L), 0x80a_0000L).cpus(), SPIS, LPI_BITS, 5, false),
            new PlainMemory(MEMORY, SPAN));
    devices.add(gic.distributor());
    for (int cpu = 0; cpu < CPUS; cpu++) {
      devices.add(gic.redistributor(cpu));
    }
    acknowledge = gic::acknowledge;
    end = intid -> gic.endOfInterrupt(0, intid);
    most = 1 << LPI_BITS;
    // LPIs also come without an ITS.
    devices.add(ports(gic));
  }

  private static MmioDevice ports(GicV3Model gic) {
    return new MmioDevice() {
      @Override
      public BusRead read(long offset, int bytes) {
        return BusRead.error(bytes);
      }

      @Override
      public BusOutcome write(long offset, long value, int bytes, int requester) {
        int intid = FIRST_LPI + (int) (offset & 0xff);
        int cpu = (int) (value & 1);
        switch ((int) (value >>> 1 & 7)) {
          case 0 -> gic.clearPending(cpu, intid);
          case 1 -> gic.move(cpu, 1 - cpu, intid);
          case 2 -> gic.moveAll(cpu, 1 - cpu);
          case 3 -> gic.reload(cpu, intid);
          case 4 -> gic.reloadAll(cpu);
          default -> gic.setPending(cpu, intid);
        }
        return BusOutcome.OK;
      }
    };
  }

  private void gicV2() {
    GicV2Model gic = new GicV2Model(new GicV2Config(CPUS, SPIS, 5));
    for (int cpu = 0; cpu < CPUS; cpu++) {
      devices.add(gic.distributor(cpu));
      devices.add(gic.cpuInterface(cpu));
    }
    devices.add(new GicV2mModel(40, 16, gic::spi));
    acknowledge = gic::acknowledge;
    end = intid -> gic.endOfInterrupt(0, intid);
    most = SPURIOUS + 1;
  }

  private void lapic() {
    LapicModel apics = new LapicModel(List.of(0L, 0x1_0003L));
    devices.add(apics);
    acknowledge = apics::acknowledge;
    end = vector -> apics.endOfInterrupt(0, vector);
    lapic = apics;
    most = 256;
  }

  private void imsic() {
    ImsicModel files = new ImsicModel(CPUS, IDENTITIES);
    for (int cpu = 0; cpu < CPUS; cpu++) {
      devices.add(files.page(cpu));
    }
    acknowledge = files::claim;
    imsic = files;
    most = IDENTITIES + 1;
  }

  private void step(FuzzInput in) {
    MmioDevice device = devices.get(in.next8() % devices.size());
    int bytes = 1 << (in.next8() & 3);
    switch (in.next8() % 5) {
      case 0 -> device.read(in.next16() & -bytes, bytes);
      case 1 -> {
        int taken = acknowledge.applyAsInt(in.next8() % CPUS);
        if (taken >= most) {
          throw new IllegalStateException("there is no interrupt " + taken);
        }
        if (taken > 0) {
          end.accept(taken);
        }
      }
      case 2 -> special(in);
      default -> {
        int requester = (in.next8() & 1) == 0 ? SystemBus.CPU : DEVICE;
        device.write(in.next16() & -bytes, in.next64(), bytes, requester);
      }
    }
  }

  private void special(FuzzInput in) {
    try {
      ofCpu(in, in.next8() % CPUS);
    } catch (BusException e) {
      // There is no such register of the CPU, or it cannot be written so.
      return;
    }
  }

  private void ofCpu(FuzzInput in, int cpu) {
    if (lapic != null) {
      switch (in.next8() & 3) {
        case 0 -> lapic.send(in.next32(), in.next16(), (in.next8() & 1) == 1);
        case 1 -> lapic.readMsr(cpu, X2APIC + (in.next8() & 0x3f));
        case 2 -> lapic.writeMsr(cpu, X2APIC + (in.next8() & 0x3f), in.next64());
        default -> lapic.apicPage(cpu).write((in.next8() & 0x3f) * 16L, in.next32(), 4);
      }
    } else if (imsic != null) {
      switch (in.next8() & 3) {
        case 0 -> imsic.read(cpu, in.next8());
        case 1 -> imsic.write(cpu, in.next8(), in.next64());
        default -> imsic.change(cpu, in.next8(), in.next64(), (in.next8() & 1) == 1);
      }
    }
  }
}
