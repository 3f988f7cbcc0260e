package dev.doorbell.hw.smmuv3;

import static dev.doorbell.hw.smmuv3.CommandLayout.*;
import static dev.doorbell.hw.smmuv3.SmmuRegisters.CMDQ_BASE;
import static dev.doorbell.hw.smmuv3.SmmuRegisters.CMDQ_CONS;
import static dev.doorbell.hw.smmuv3.SmmuRegisters.CMDQ_PROD;

import dev.doorbell.bus.AccessGate;
import dev.doorbell.bus.BusException;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.vmsa.Regime;

/// The command queue: a ring in memory that software fills and the SMMU empties. Callers hold the register lock.
///
/// **Source** IHI 0070 F.b, 3.5, 4 and 7.1.
final class CommandQueue {
  /// What became of one step.
  enum Step {
    /// Nothing to do: empty, disabled, or stopped by an error.
    IDLE,
    DONE,
    /// A CMD_SYNC completed and wants its MSI written: {@link #msiAddress}, {@link #msiData}.
    MSI
  }

  private final SmmuFeatures features;
  private final RegisterFile registers;
  private final PhysicalMemory memory;
  private final SmmuInterrupts interrupts;
  private final Invalidations invalidations;
  private final AccessGate gate;

  long msiAddress;
  long msiData;

  CommandQueue(
      SmmuFeatures features,
      RegisterFile registers,
      PhysicalMemory memory,
      SmmuInterrupts interrupts,
      Invalidations invalidations) {
    this.features = features;
    this.registers = registers;
    this.memory = memory;
    this.interrupts = interrupts;
    this.invalidations = invalidations;
    gate = invalidations.gate();
  }

  /// Consumes one command.
  Step step() {
    if (!registers.isSet(SmmuRegisters.CR0ACK, SmmuRegisters.CR0_CMDQEN)
        || registers.isActive(SmmuRegisters.GERROR_CMDQ_ERR)) {
      return Step.IDLE;
    }
    long base = registers.get(CMDQ_BASE);
    int log2 =
        Math.min(
            SmmuRegisters.CMDQ_BASE_LOG2SIZE.getInt(base), features.idr1(SmmuRegisters.IDR1_CMDQS));
    long indexes = Regime.ones(log2 + 1);
    long consumer = registers.get(CMDQ_CONS);
    long read = SmmuRegisters.CMDQ_CONS_RD.get(consumer) & indexes;
    if (read == (SmmuRegisters.CMDQ_PROD_WR.get(registers.get(CMDQ_PROD)) & indexes)) {
      return Step.IDLE;
    }
    long address =
        (SmmuRegisters.CMDQ_BASE_ADDR.get(base) & ~Regime.ones(log2 + CommandLayout.LOG2_BYTES))
            + (read & Regime.ones(log2)) * CommandLayout.BYTES;
    long word0;
    long word1;
    try {
      word0 = memory.read64(address);
      word1 = memory.read64(address + Long.BYTES);
    } catch (BusException _) {
      return fail(consumer, SmmuRegisters.CERROR_ABT);
    }
    msiAddress = 0;
    if (!execute(word0, word1)) {
      return fail(consumer, SmmuRegisters.CERROR_ILL);
    }
    registers.set(CMDQ_CONS, SmmuRegisters.CMDQ_CONS_RD.with(consumer, (read + 1) & indexes));
    return msiAddress == 0 ? Step.DONE : Step.MSI;
  }

  // CONS.RD stays at the command that failed.
  private Step fail(long consumer, int error) {
    registers.set(CMDQ_CONS, SmmuRegisters.CMDQ_CONS_ERR.with(consumer, error));
    interrupts.error(SmmuRegisters.GERROR_CMDQ_ERR);
    return Step.IDLE;
  }

  // Whether the command is legal here.
  private boolean execute(long word0, long word1) {
    if (SSEC.isSet(word0)) {
      return false;
    }
    boolean first = features.has0(SmmuRegisters.IDR0_S1P);
    boolean second = features.has0(SmmuRegisters.IDR0_S2P);
    int opcode = OPCODE.getInt(word0);
    return switch (opcode) {
      // A prefetch is a hint.
      case CMD_PREFETCH_CONFIG, CMD_PREFETCH_ADDR -> true;
      case CMD_CFGI_STE, CMD_CFGI_STE_RANGE -> invalidations.streams(opcode, word0, word1);
      case CMD_CFGI_CD, CMD_CFGI_CD_ALL -> first && invalidations.contexts(opcode, word0);
      case CMD_TLBI_NH_ALL, CMD_TLBI_NH_ASID, CMD_TLBI_NH_VA, CMD_TLBI_NH_VAA ->
          first && invalidations.stage1(opcode, word0, word1);
      case CMD_TLBI_EL2_ALL, CMD_TLBI_EL2_ASID, CMD_TLBI_EL2_VA, CMD_TLBI_EL2_VAA ->
          features.has0(SmmuRegisters.IDR0_HYP) && invalidations.el2(opcode, word0, word1);
      case CMD_TLBI_S12_VMALL, CMD_TLBI_S2_IPA ->
          second && invalidations.stage2(opcode, word0, word1);
      case CMD_TLBI_NSNH_ALL -> invalidations.everything();
      case CMD_SYNC -> sync(word0, word1);
      // ATS, PRI, MPAM, stalls, EL3 and whatever the manual does not know.
      default -> false;
    };
  }

  private boolean sync(long word0, long word1) {
    int signal = SYNC_CS.getInt(word0);
    if (signal > SIG_SEV) {
      return false;
    }
    gate.drain();
    if (signal == SIG_IRQ) {
      long address = SYNC_MSI_ADDRESS.get(word1);
      if (features.has0(SmmuRegisters.IDR0_MSI) && address != 0) {
        msiAddress = address;
        msiData = SYNC_MSI_DATA.get(word0);
      } else {
        interrupts.commandSync();
      }
    }
    return true;
  }
}
