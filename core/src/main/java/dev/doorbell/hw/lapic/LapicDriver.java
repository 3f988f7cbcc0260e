package dev.doorbell.hw.lapic;

import static dev.doorbell.hw.lapic.LapicRegisters.*;

import dev.doorbell.bus.CpuInterface;
import dev.doorbell.bus.CpuRegisters;
import dev.doorbell.explain.Source;
import dev.doorbell.irq.InterruptRemapper;
import dev.doorbell.irq.MsiController;
import java.util.Arrays;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// The local APICs of a machine: sets them up, and owns the vectors of all CPUs. Devices get vectors at the {@link MsiController} of whatever
/// stands between them and the APICs: {@link #behind}.
///
/// APICs are put into x2APIC mode where an APIC id does not fit xAPIC's 8 bits, else into xAPIC mode. Where firmware asks to stay out of x2APIC
/// mode they are all in xAPIC mode, and CPUs whose id does not fit get no vectors and are left as they are, as on Linux.
///
/// **Threads.** Safe for use from many. One lock for all vectors, taken before a remapper's. Sinks are called without it.
///
/// **Source**: Intel SDM volume 3, 11.4.3 (enabling), 11.8 (handling interrupts), 11.12 (x2APIC).
public final class LapicDriver {
  /// What limits the vectors of a CPU.
  static final Source LIMIT =
      Source.rule("Intel SDM volume 3, 6.2: vectors 32 to 255 of each CPU, 224");

  private static final Source XAPIC_REACH =
      Source.rule("Intel SDM volume 3, 11.11.1: a message without remapping names 8-bit APIC ids");

  /// The highest APIC id that 8 bits can name; all ones is every CPU.
  static final long LAST_XAPIC_ID = 0xfe;

  /// Below the vectors of devices, its low bits ones as old APICs have them.
  private static final int SPURIOUS_VECTOR = 0x1f;

  final ReentrantLock lock = new ReentrantLock();
  final VectorLedger ledger;
  private final LapicHardware hardware;
  private final boolean x2;
  private final Numbers numbers;

  private LapicDriver(LapicHardware hardware) {
    this.hardware = hardware;
    this.ledger = new VectorLedger(hardware.apicIds());
    this.numbers = new Numbers(hardware.apicIds().size());
    this.x2 =
        hardware.xApicOnly().isEmpty()
            && hardware.apicIds().stream().anyMatch(id -> id > LAST_XAPIC_ID);
  }

  /// {@return the driver of APICs that it has enabled, every priority class let through}
  public static LapicDriver open(LapicHardware hardware) {
    LapicDriver d = new LapicDriver(hardware);
    hardware.registers().ifPresent(d::start);
    return d;
  }

  /// {@return whether the APICs are in x2APIC mode, in which destinations have 32 bits}
  public boolean isX2Apic() {
    return x2;
  }

  /// {@return the MSI controller of devices behind a remapper}
  public MsiController behind(InterruptRemapper remapper) {
    return new LapicController(this, remapper);
  }

  /// {@return the MSI controller of devices whose messages nothing remaps}
  public MsiController unremapped() {
    return behind(new DirectMessages(hardware.id()));
  }

  /// {@return what keeps messages from naming higher APIC ids}
  Source reach() {
    return hardware.xApicOnly().orElse(XAPIC_REACH);
  }

  long apicId(int cpu) {
    return hardware.apicIds().get(cpu);
  }

  int cpus() {
    return hardware.apicIds().size();
  }

  Numbers numbers() {
    return numbers;
  }

  private void start(CpuRegisters registers) {
    for (int cpu = 0; cpu < cpus(); cpu++) {
      if (!x2 && apicId(cpu) > LAST_XAPIC_ID) {
        continue;
      }
      long base = registers.readMsr(cpu, MSR_APIC_BASE);
      long svr = SPURIOUS.place(SPURIOUS_VECTOR) | ENABLE.mask();
      registers.writeMsr(cpu, MSR_APIC_BASE, base | EN.mask());
      if (x2) {
        registers.writeMsr(cpu, MSR_APIC_BASE, base | EN.mask() | EXTD.mask());
        registers.writeMsr(cpu, msr(TPR.offset()), 0);
        registers.writeMsr(cpu, msr(SVR.offset()), svr);
      } else {
        registers.apicPage(cpu).write32(TPR.offset(), 0);
        registers.apicPage(cpu).write32(SVR.offset(), (int) svr);
      }
    }
  }

  private static int msr(long offset) {
    return FIRST_X2APIC_MSR + (int) (offset / BYTES_PER_MSR);
  }

  /// Takes what has arrived at the CPUs and hands each interrupt to the controller whose it is. The caller holds the lock.
  void take() {
    CpuInterface at = hardware.cpus().orElse(null);
    if (at == null) {
      return;
    }
    for (int cpu = 0; cpu < cpus(); cpu++) {
      if (ledger.isUsed(cpu)) {
        take(at, cpu);
      }
    }
  }

  private void take(CpuInterface at, int cpu) {
    for (int v = at.acknowledge(cpu); v != CpuInterface.NONE; v = at.acknowledge(cpu)) {
      at.endOfInterrupt(cpu, v);
      int place = cpu * VectorLedger.VECTORS + v;
      int number = numbers.at(place);
      LapicVectorBlock block = numbers.block(number);
      if (block != null) {
        block.arrived(numbers.index(number), place);
      }
    }
  }

  /// The numbers by which vectors are told, whatever their place. Guarded by the driver's lock.
  static final class Numbers {
    private final int[] atPlace;
    private final @Nullable LapicVectorBlock[] blocks;
    private final int[] indexes;
    private int next;

    Numbers(int cpus) {
      atPlace = new int[cpus * VectorLedger.VECTORS];
      blocks = new LapicVectorBlock[atPlace.length];
      indexes = new int[atPlace.length];
      Arrays.fill(atPlace, VectorLedger.NONE);
    }

    /// {@return a free number, now that of a block's vector} There are as many as places, so one is free for each.
    int take(LapicVectorBlock block, int index) {
      while (blocks[next] != null) {
        next = (next + 1) % blocks.length;
      }
      blocks[next] = block;
      indexes[next] = index;
      return next;
    }

    void giveBack(int number) {
      blocks[number] = null;
    }

    int at(int place) {
      return atPlace[place];
    }

    void put(int place, int number) {
      atPlace[place] = number;
    }

    /// {@return which of its block's vectors has a number}
    int index(int number) {
      return indexes[number];
    }

    @Nullable LapicVectorBlock block(int number) {
      return number < 0 ? null : blocks[number];
    }
  }
}
