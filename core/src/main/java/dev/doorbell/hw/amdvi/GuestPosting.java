package dev.doorbell.hw.amdvi;

import static dev.doorbell.hw.amdvi.AmdViRegisters.*;

import dev.doorbell.bus.ApicPort;
import dev.doorbell.bus.BusException;
import dev.doorbell.bus.PhysicalMemory;

/// Posts an interrupt to a guest: its bit in IRR of the virtual APIC's backing page first; then the processor that runs the guest is told, or, where
/// none does, the log. Allocates nothing. Safe for use from many threads.
///
/// **Source** 48882 revision 3.09, 2.2.5.2 (guest virtual APIC mode), 2.7 (its log), 3.4.12 and 3.4.13 (registers); APM volume 2, 15.29 (backing page).
final class GuestPosting {
  /// Where IRR lies in a backing page; each register of 32 vectors has 16 bytes.
  private static final int IRR = 0x200;

  private static final int IRR_STRIDE = 16;

  private final RegisterFile registers;
  private final PhysicalMemory memory;
  private final EventLog events;
  private final ApicPort apics;

  GuestPosting(RegisterFile registers, PhysicalMemory memory, EventLog events, ApicPort apics) {
    this.registers = registers;
    this.memory = memory;
    this.events = events;
    this.apics = apics;
  }

  /// What an entry in guest mode says.
  ///
  /// @param page the virtual APIC's backing page
  /// @param running whether a processor runs the guest
  /// @param apicId which
  /// @param logged whether the log is told where none does (GALogIntr)
  /// @param tag what the log names the guest's processor by
  record Guest(long page, int vector, boolean running, long apicId, boolean logged, long tag) {
    static Guest of(long low, long high) {
      return new Guest(
          IrteLayout.GUEST_APIC.get(high),
          IrteLayout.GUEST_VECTOR.getInt(high),
          IrteLayout.IS_RUN.isSet(low),
          IrteLayout.GUEST_DESTINATION.get(low)
              | IrteLayout.GUEST_DESTINATION_HIGH.get(high) << IrteLayout.GUEST_DESTINATION.width(),
          IrteLayout.GA_LOG_INTR.isSet(low),
          IrteLayout.GA_TAG.get(low));
    }
  }

  /// @throws BusException when no backing page is there
  void post(int device, Guest g) {
    long at = g.page + IRR + (long) (g.vector / Integer.SIZE) * IRR_STRIDE;
    long bit = 1L << g.vector % Integer.SIZE;
    long before;
    do {
      before = memory.read64(at);
    } while ((before & bit) == 0 && !memory.compareAndSet64(at, before, before | bit));
    if (g.running) {
      apics.doorbell(g.apicId);
    } else if (g.logged) {
      record(device, g.tag);
    }
  }

  /// Logs a record. Lost when the log does not run; a full one stops with Status.GALOverflow.
  private synchronized void record(int device, long tag) {
    if (!registers.isSet(STATUS_REG, GA_LOG_RUN)) {
      return;
    }
    long base = registers.get(GA_BASE_REG);
    long bytes = (long) GuestLogLayout.UNIT << GA_LEN.getInt(base);
    long tail = registers.get(GA_TAIL_REG) & bytes - 1;
    long next = tail + GuestLogLayout.BYTES & bytes - 1;
    if (next == (registers.get(GA_HEAD_REG) & bytes - 1)) {
      stop();
      return;
    }
    try {
      memory.write64(
          GA_BASE.get(base) + tail,
          GuestLogLayout.CODE.place(GuestLogLayout.GUEST_NOT_RUNNING)
              | GuestLogLayout.DEVICE.place(device)
              | GuestLogLayout.TAG.place(tag));
      long shadow = GA_TAIL_ADDR.get(registers.get(GA_TAIL_ADDR_REG));
      if (shadow != 0) {
        memory.write64(shadow, next);
      }
    } catch (BusException _) {
      stop();
      return;
    }
    memory.publish();
    registers.set(GA_TAIL_REG, next);
    registers.status(GA_INT.mask(), 0);
    interrupt();
  }

  private void stop() {
    registers.status(GA_LOG_OVERFLOW.mask(), GA_LOG_RUN.mask());
    interrupt();
  }

  private void interrupt() {
    if (registers.isSet(CONTROL_REG, GA_INT_EN)) {
      events.raise();
    }
  }
}
