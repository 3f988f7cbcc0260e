package dev.doorbell.hw.smmuv3;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Register;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.SystemBus;
import java.util.concurrent.atomic.AtomicInteger;

/// The SMMU's own interrupts: raised under its locks, sent outside of them, as an MSI where one is configured and else by wire.
///
/// **Source** IHI 0070 F.b, 3.18.
final class SmmuInterrupts {
  static final int EVENTQ = 1;
  static final int GERROR = 2;
  static final int COMMAND_SYNC = 4;

  private static final int MSI_BYTES = 4;

  private final RegisterFile registers;
  private final SystemBus bus;
  private final SmmuWires wires;
  private final boolean msi;
  private final AtomicInteger pending = new AtomicInteger();

  SmmuInterrupts(SmmuFeatures features, RegisterFile registers, SystemBus bus, SmmuWires wires) {
    this.registers = registers;
    this.bus = bus;
    this.wires = wires;
    msi = features.has0(SmmuRegisters.IDR0_MSI);
  }

  /// Notes that the event queue became non-empty or overflowed.
  void eventQueue() {
    if (registers.isSet(SmmuRegisters.IRQ_CTRL, SmmuRegisters.IRQ_CTRL_EVENTQ_IRQEN)) {
      raise(EVENTQ);
    }
  }

  /// Makes a global error active.
  void error(Field error) {
    if (registers.activate(error)
        && registers.isSet(SmmuRegisters.IRQ_CTRL, SmmuRegisters.IRQ_CTRL_GERROR_IRQEN)) {
      raise(GERROR);
    }
  }

  /// Notes that a CMD_SYNC completed which asked for the wired interrupt.
  void commandSync() {
    raise(COMMAND_SYNC);
  }

  /// Writes the MSI of a CMD_SYNC.
  void commandSyncMsi(long address, long data) {
    if (bus.write(address, data, MSI_BYTES, wires.msiRequester()) != BusOutcome.OK) {
      error(SmmuRegisters.GERROR_MSI_CMDQ_ABT_ERR);
    }
  }

  /// Sends what was raised. To be called without locks.
  void deliver() {
    while (pending.get() != 0) {
      int raised = pending.getAndSet(0);
      if ((raised & EVENTQ) != 0
          && !sent(
              SmmuRegisters.EVENTQ_IRQ_CFG0,
              SmmuRegisters.EVENTQ_IRQ_CFG1,
              SmmuRegisters.GERROR_MSI_EVENTQ_ABT_ERR)) {
        wires.eventQueue().pulse();
      }
      if ((raised & COMMAND_SYNC) != 0) {
        wires.commandSync().pulse();
      }
      if ((raised & GERROR) != 0
          && !sent(
              SmmuRegisters.GERROR_IRQ_CFG0,
              SmmuRegisters.GERROR_IRQ_CFG1,
              SmmuRegisters.GERROR_MSI_GERROR_ABT_ERR)) {
        wires.globalError().pulse();
      }
    }
  }

  // Whether an MSI is configured, and therefore the wire is not used.
  private boolean sent(Register where, Register what, Field abort) {
    long address = SmmuRegisters.IRQ_CFG0_ADDR.get(registers.get(where));
    if (!msi || address == 0) {
      return false;
    }
    long data = SmmuRegisters.IRQ_CFG1_DATA.get(registers.get(what));
    if (bus.write(address, data, MSI_BYTES, wires.msiRequester()) != BusOutcome.OK) {
      error(abort);
    }
    return true;
  }

  private void raise(int which) {
    pending.getAndAccumulate(which, (old, added) -> old | added);
  }
}
