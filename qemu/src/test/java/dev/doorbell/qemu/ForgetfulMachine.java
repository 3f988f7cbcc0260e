package dev.doorbell.qemu;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.hw.smmuv3.CommandLayout;
import dev.doorbell.hw.smmuv3.SmmuRegisters;
import dev.doorbell.machine.Machine;
import java.util.Set;

/// A machine whose SMMU never sees the driver's TLB invalidations while that is asked for: each becomes a CMD_SYNC without a signal before the
/// SMMU is told of it.
final class ForgetfulMachine extends Around {
  private static final Set<Integer> INVALIDATIONS =
      Set.of(
          CommandLayout.CMD_TLBI_NH_ALL,
          CommandLayout.CMD_TLBI_NH_ASID,
          CommandLayout.CMD_TLBI_NH_VA,
          CommandLayout.CMD_TLBI_NH_VAA,
          CommandLayout.CMD_TLBI_EL2_ALL,
          CommandLayout.CMD_TLBI_EL2_ASID,
          CommandLayout.CMD_TLBI_EL2_VA,
          CommandLayout.CMD_TLBI_EL2_VAA,
          CommandLayout.CMD_TLBI_S12_VMALL,
          CommandLayout.CMD_TLBI_S2_IPA,
          CommandLayout.CMD_TLBI_NSNH_ALL);

  boolean forgets;
  int forgotten;

  ForgetfulMachine(Machine inner) {
    super(inner, inner.description());
  }

  @Override
  public RegisterBus registers(AddressRange window) {
    RegisterBus inner = super.registers(window);
    boolean smmu =
        description().iommus().getFirst() instanceof IommuDescription.Smmuv3 s
            && s.window().equals(window);
    return smmu ? new Filter(inner) : inner;
  }

  private final class Filter implements RegisterBus {
    private final RegisterBus inner;

    Filter(RegisterBus inner) {
      this.inner = inner;
    }

    @Override
    public long read(long offset, int bytes) {
      return inner.read(offset, bytes);
    }

    @Override
    public void write(long offset, long value, int bytes) {
      if (forgets && offset == SmmuRegisters.CMDQ_PROD.offset()) {
        forget(inner.read(offset, bytes), value);
      }
      inner.write(offset, value, bytes);
    }

    private void forget(long from, long to) {
      PhysicalMemory memory = memory();
      long base = inner.read64(SmmuRegisters.CMDQ_BASE.offset());
      long entries = 1L << SmmuRegisters.CMDQ_BASE_LOG2SIZE.get(base);
      for (long i = from; i != to; i = (i + 1) & (2 * entries - 1)) {
        long at =
            SmmuRegisters.CMDQ_BASE_ADDR.get(base) + (i & (entries - 1)) * CommandLayout.BYTES;
        if (INVALIDATIONS.contains(CommandLayout.OPCODE.getInt(memory.read64(at)))) {
          memory.write64(at, CommandLayout.SYNC_OPCODE.place(CommandLayout.CMD_SYNC));
          memory.write64(at + Long.BYTES, 0);
          forgotten++;
        }
      }
    }
  }
}
