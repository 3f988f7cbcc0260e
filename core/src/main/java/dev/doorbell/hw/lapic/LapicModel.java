package dev.doorbell.hw.lapic;

import static dev.doorbell.hw.lapic.LapicRegisters.*;

import dev.doorbell.bus.ApicPort;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.CpuInterface;
import dev.doorbell.bus.CpuRegisters;
import dev.doorbell.bus.MmioDevice;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.irq.X86CommandLayout;
import dev.doorbell.irq.X86MessageLayout;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.LongAdder;

/// The local APICs of all CPUs of a machine, after reset: xAPIC or x2APIC, as software chooses for each.
///
/// As a device on the bus it is the interrupt address range: a device's write there, which no IOMMU has taken, is an interrupt, whoever writes.
/// A CPU's accesses to its own page go through {@link CpuRegisters}, since the page is another one for each.
///
/// Sending takes no lock and allocates nothing. Safe for use from many threads.
///
/// **Source**: Intel SDM volume 3, chapter 11 (APIC).
public final class LapicModel implements ApicPort, CpuInterface, CpuRegisters, MmioDevice {
  /// Destinations above are looked for one CPU after another.
  private static final int INDEXED_IDS = 1 << Short.SIZE;

  private static final long BROADCAST = 0xffL;
  private static final long WIDE_BROADCAST = 0xffff_ffffL;

  private final ApicModel[] cpus;
  private final int[] cpuOfId;
  private final AtomicLongArray doorbells;
  private final LongAdder lost = new LongAdder();

  /// @param apicIds of the CPUs, in firmware's order; the first one boots
  public LapicModel(List<Long> apicIds) {
    cpus = new ApicModel[apicIds.size()];
    doorbells = new AtomicLongArray(cpus.length);
    long most = apicIds.stream().mapToLong(Long::longValue).max().orElse(0);
    cpuOfId = new int[(int) Math.min(most, INDEXED_IDS - 1) + 1];
    Arrays.fill(cpuOfId, NONE);
    for (int i = 0; i < cpus.length; i++) {
      long id = apicIds.get(i);
      cpus[i] = new ApicModel(id, i == 0, (low, high) -> command(id, low, high));
      if (id < cpuOfId.length) {
        cpuOfId[(int) id] = i;
      }
    }
  }

  @Override
  public boolean send(long destination, int command, boolean wide) {
    boolean broadcast = destination == (wide ? WIDE_BROADCAST : BROADCAST);
    int vector = X86CommandLayout.VECTOR.getInt(command);
    int mode = X86CommandLayout.DELIVERY_MODE.getInt(command);
    boolean logical = X86CommandLayout.LOGICAL.isSet(command);
    boolean taken;
    if (mode == X86CommandLayout.LOWEST_PRIORITY) {
      ApicModel best = leastUrgent(destination, logical, broadcast);
      taken = best != null && best.accept(vector);
    } else if (mode == X86CommandLayout.FIXED) {
      taken = all(destination, vector, logical, broadcast);
    } else {
      // SMI, NMI, INIT and ExtINT raise no vector, and CPUs do not run here.
      taken = false;
    }
    if (!taken) {
      lost.increment();
    }
    return taken;
  }

  @Override
  public boolean doorbell(long apicId) {
    for (int i = 0; i < cpus.length; i++) {
      if (cpus[i].matches(apicId, false)) {
        doorbells.incrementAndGet(i);
        return true;
      }
    }
    return false;
  }

  /// {@return how often a CPU was told of interrupts of the guest that it runs}
  public long doorbells(int cpu) {
    return doorbells.get(cpu);
  }

  private boolean all(long destination, int vector, boolean logical, boolean broadcast) {
    if (!logical && !broadcast && destination < cpuOfId.length) {
      int cpu = cpuOfId[(int) destination];
      return cpu != NONE && cpus[cpu].accept(vector);
    }
    boolean taken = false;
    for (ApicModel c : cpus) {
      if (broadcast || c.matches(destination, logical)) {
        taken |= c.accept(vector);
      }
    }
    return taken;
  }

  private @org.jspecify.annotations.Nullable ApicModel leastUrgent(
      long destination, boolean logical, boolean broadcast) {
    ApicModel best = null;
    int least = Integer.MAX_VALUE;
    for (ApicModel c : cpus) {
      if (c.isEnabled() && (broadcast || c.matches(destination, logical))) {
        int priority = c.priority();
        if (priority < least) {
          least = priority;
          best = c;
        }
      }
    }
    return best;
  }

  /// A CPU wrote its ICR.
  private void command(long sender, long low, long destination) {
    int command = (int) low;
    switch (SHORTHAND.getInt(low)) {
      case 1 -> send(sender, (int) X86CommandLayout.LOGICAL.with(command, 0), true);
      case 2 -> send(WIDE_BROADCAST, command, true);
      case 3 -> {
        for (ApicModel c : cpus) {
          if (c.id() != sender) {
            c.accept(X86CommandLayout.VECTOR.getInt(low));
          }
        }
      }
      default -> send(destination, command, destination > BROADCAST);
    }
  }

  /// {@return interrupts that no CPU took}
  public long lost() {
    return lost.sum();
  }

  @Override
  public int cpus() {
    return cpus.length;
  }

  @Override
  public int acknowledge(int cpu) {
    return cpus[cpu].acknowledge();
  }

  /// Ends the most urgent interrupt that the CPU has taken, as a write of EOI does.
  @Override
  public void endOfInterrupt(int cpu, int intid) {
    cpus[cpu].endOfInterrupt();
  }

  @Override
  public long readMsr(int cpu, int msr) {
    return cpus[cpu].readMsr(msr);
  }

  @Override
  public void writeMsr(int cpu, int msr, long value) {
    cpus[cpu].writeMsr(msr, value);
  }

  @Override
  public RegisterBus apicPage(int cpu) {
    return new RegisterBus() {
      @Override
      public long read(long offset, int bytes) {
        checkSize("read", offset, bytes);
        return cpus[cpu].readPage(offset);
      }

      @Override
      public void write(long offset, long value, int bytes) {
        checkSize("write", offset, bytes);
        cpus[cpu].writePage(offset, value);
      }
    };
  }

  private static void checkSize(String operation, long offset, int bytes) {
    if (bytes != Integer.BYTES || offset < 0 || offset >= BYTES || offset % bytes != 0) {
      throw new BusErrorException(operation + " of the local APIC's page", offset, bytes);
    }
  }

  @Override
  public BusRead read(long offset, int bytes) {
    return BusRead.error(bytes);
  }

  @Override
  public BusOutcome write(long offset, long value, int bytes, int requester) {
    if (requester == SystemBus.CPU || bytes != Integer.BYTES) {
      return BusOutcome.ERROR;
    }
    // The window is aligned, so that the fields below bit 20 are those of the whole address.
    int command = X86CommandLayout.ofMessage(offset, (int) value);
    return send(X86MessageLayout.DESTINATION.get(offset), command, false)
        ? BusOutcome.OK
        : BusOutcome.ERROR;
  }
}
