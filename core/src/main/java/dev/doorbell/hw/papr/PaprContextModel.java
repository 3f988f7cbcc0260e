package dev.doorbell.hw.papr;

import static dev.doorbell.hw.papr.ContextRegisters.LEAST_FAVORED;

import dev.doorbell.bits.RegisterPorts;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.RegisterBus;

/// The context of one processor of a guest: which priorities are pending, which of them get through, and whether the processor is told. The lock is the
/// interrupts', so that an access and an event are each one step.
final class PaprContextModel implements RegisterBus {
  private static final int HIGHEST = 0x80;

  private final PaprInterruptsModel interrupts;
  private final RegisterPorts ports = new RegisterPorts(ContextRegisters.MAP);
  private int cppr;
  private int ipb;
  private boolean told;

  PaprContextModel(PaprInterruptsModel interrupts) {
    this.interrupts = interrupts;
    ports.on(ContextRegisters.NSR, _ -> ContextRegisters.EO.place(told ? 1 : 0));
    ports.on(ContextRegisters.CPPR, _ -> cppr, (_, v) -> favor((int) v));
    ports.on(ContextRegisters.IPB, _ -> ipb);
    ports.on(ContextRegisters.PIPR, _ -> mostFavored());
    ports.on(ContextRegisters.ACK, _ -> acknowledge());
  }

  /// Makes a priority pending.
  void present(int priority) {
    ipb |= HIGHEST >>> priority;
    tell();
  }

  private void favor(int priority) {
    cppr = priority >= XiveCalls.PRIORITIES ? LEAST_FAVORED : priority;
    told = false;
    tell();
  }

  private int mostFavored() {
    return ipb == 0
        ? LEAST_FAVORED
        : Integer.numberOfLeadingZeros(ipb) - (Integer.SIZE - Byte.SIZE);
  }

  private void tell() {
    told |= mostFavored() < cppr;
  }

  private long acknowledge() {
    boolean before = told;
    if (told) {
      cppr = mostFavored();
      ipb &= ~(HIGHEST >>> cppr);
      told = false;
    }
    return ContextRegisters.ACK_EO.place(before ? 1 : 0) | ContextRegisters.ACK_CPPR.place(cppr);
  }

  @Override
  public long read(long offset, int bytes) {
    interrupts.lock.lock();
    try {
      require("read", offset, bytes);
      return ports.read(offset, bytes);
    } finally {
      interrupts.lock.unlock();
    }
  }

  @Override
  public void write(long offset, long value, int bytes) {
    interrupts.lock.lock();
    try {
      require("write", offset, bytes);
      ports.write(offset, value, bytes);
    } finally {
      interrupts.lock.unlock();
    }
  }

  private void require(String operation, long offset, int bytes) {
    if (!ports.answers(offset, bytes)) {
      throw new BusErrorException(operation + " of the TIMA", offset, bytes);
    }
  }
}
