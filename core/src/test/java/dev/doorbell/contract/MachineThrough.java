package dev.doorbell.contract;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bus.CpuInterface;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.machine.Machine;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.Firing;
import dev.doorbell.pci.Sbdf;
import java.util.Optional;

/// A machine whose IOMMUs never see some of the commands that are sent to them: when the producer index moves, commands of the
/// swallowed kinds become prefetches in memory, which do nothing.
///
/// **Source** IHI 0070 F.b, 4.1 (opcodes), 6.3.26 (SMMU_CMDQ_BASE), 6.3.27 (SMMU_CMDQ_PROD). Written in plain numbers, as the
/// driver's declarations are what is tested.
///
/// @param first the lowest opcode that is swallowed
/// @param last the highest one
record MachineThrough(Machine real, int first, int last) implements Machine {
  private static final long CMDQ_BASE = 0x90;
  private static final long CMDQ_PROD = 0x98;
  private static final int PREFETCH_CONFIG = 1;

  /// Registers of an SMMU.
  private final class Swallowing implements RegisterBus {
    private final RegisterBus bus;
    private long next;

    Swallowing(RegisterBus bus) {
      this.bus = bus;
    }

    @Override
    public long read(long offset, int bytes) {
      return bus.read(offset, bytes);
    }

    @Override
    public void write(long offset, long value, int bytes) {
      if (offset == CMDQ_PROD) {
        long base = bus.read(CMDQ_BASE, Long.BYTES);
        long size = 1L << (base & 0x1f);
        long queue = base & 0x000f_ffff_ffff_ffe0L;
        for (long at = next; at % (2 * size) != value % (2 * size); at++) {
          swallow(queue + at % size * 16);
        }
        next = value;
      }
      bus.write(offset, value, bytes);
    }
  }

  private void swallow(long command) {
    long opcode = real.memory().read64(command) & 0xff;
    if (opcode >= first && opcode <= last) {
      real.memory().write64(command, PREFETCH_CONFIG);
      real.memory().write64(command + Long.BYTES, 0);
    }
  }

  @Override
  public RegisterBus registers(AddressRange window) {
    RegisterBus bus = real.registers(window);
    boolean smmu =
        real.description().iommus().stream()
            .anyMatch(i ->
                i instanceof dev.doorbell.description.IommuDescription.Smmuv3 s
                    && s.window().equals(window));
    return smmu ? new Swallowing(bus) : bus;
  }

  @Override
  public MachineDescription description() {
    return real.description();
  }

  @Override
  public PhysicalMemory memory() {
    return real.memory();
  }

  @Override
  public Frames frames() {
    return real.frames();
  }

  @Override
  public ConfigSpace config(Sbdf function) {
    return real.config(function);
  }

  @Override
  public RegisterBus bar(Sbdf function, int index) {
    return real.bar(function, index);
  }

  @Override
  public Optional<CpuInterface> cpuInterface() {
    return real.cpuInterface();
  }

  @Override
  public Firing fire(Sbdf function, int vector) {
    return real.fire(function, vector);
  }

  @Override
  public void close() {
    real.close();
  }
}
