package dev.doorbell.hw.vtd;

import static dev.doorbell.hw.vtd.VtdRegisters.*;

import dev.doorbell.bits.Register;
import dev.doorbell.bus.ApicPort;
import dev.doorbell.irq.X86CommandLayout;
import dev.doorbell.irq.X86MessageLayout;

/// Primary fault logging, and the messages by which a unit tells of faults and of completed invalidations. Its lock is taken last.
///
/// **Source**: Intel Virtualization Technology for Directed I/O, revision 4.1, 7.2 (fault logging), 7.3 (fault events), 11.4.7.
final class Faults {
  /// Of a request that carries no PASID.
  static final int NO_PASID = -1;

  /// Where an interrupt request's index lies in a record.
  private static final int INDEX_SHIFT = 48;

  private final UnitContents registers;
  private final ApicPort apics;
  private int next;

  Faults(UnitContents registers, ApicPort apics) {
    this.registers = registers;
    this.apics = apics;
  }

  /// Records a DMA access that ended in the unit.
  ///
  /// @param pasid that it carried, or {@link #NO_PASID}
  void dma(int sourceId, int pasid, VtdFault fault, long address, boolean write) {
    long type = write ? 0 : T1.mask();
    record(
        sourceId,
        fault,
        FI.get(address),
        pasid < 0 ? type : type | PP.mask() | PV.place(pasid & PV.max()));
  }

  /// Records an interrupt request that ended in the unit.
  void interrupt(int sourceId, VtdFault fault, long index) {
    record(sourceId, fault, index << INDEX_SHIFT, 0);
  }

  private synchronized void record(int sourceId, VtdFault fault, long info, long type) {
    boolean first = (registers.get(FSTS_REG) & FSTS_EVENTS) == 0;
    if (F.isSet(registers.get(FRCD_REG, upper(next)))) {
      registers.raise(FSTS_REG, PFO);
    } else {
      registers.set(FRCD_REG, 2 * next, info);
      registers.set(
          FRCD_REG,
          upper(next),
          F.mask() | type | FR.place(fault.code()) | FAULT_SID.place(sourceId));
      if (!registers.isSet(FSTS_REG, PPF)) {
        registers.set(FSTS_REG, FRI.with(registers.get(FSTS_REG), next) | PPF.mask());
      }
      next = (next + 1) % FAULT_RECORDS;
    }
    if (first) {
      event(FECTL_REG, FEADDR_REG, FEDATA_REG);
    }
  }

  /// Tells of an error of the invalidation queue.
  synchronized void queueError() {
    boolean first = (registers.get(FSTS_REG) & FSTS_EVENTS) == 0;
    registers.raise(FSTS_REG, IQE);
    if (first) {
      event(FECTL_REG, FEADDR_REG, FEDATA_REG);
    }
  }

  /// Tells of a wait descriptor that asked for it.
  synchronized void waitDone() {
    if (!registers.isSet(ICS_REG, IWC)) {
      registers.raise(ICS_REG, IWC);
      event(IECTL_REG, IEADDR_REG, IEDATA_REG);
    }
  }

  private static int upper(int record) {
    return 2 * record + 1;
  }

  /// Takes a write to an element of FRCD_REG: F is cleared by writing 1, and the rest is for reading.
  synchronized void clear(int element, long value) {
    if (element % 2 == 0) {
      return;
    }
    registers.set(FRCD_REG, element, FRCD_REG.legalize(registers.get(FRCD_REG, element), value));
    for (int i = 0; i < FAULT_RECORDS; i++) {
      if (F.isSet(registers.get(FRCD_REG, upper(i)))) {
        return;
      }
    }
    registers.clear(FSTS_REG, PPF);
    serviced();
  }

  /// Takes a write to FSTS_REG.
  synchronized void status(long value) {
    registers.set(FSTS_REG, FSTS_REG.legalize(registers.get(FSTS_REG), value));
    serviced();
  }

  private void serviced() {
    if ((registers.get(FSTS_REG) & FSTS_EVENTS) == 0) {
      registers.clear(FECTL_REG, VtdRegisters.IP);
    }
  }

  /// Takes a write to ICS_REG.
  synchronized void completion(long value) {
    registers.set(ICS_REG, ICS_REG.legalize(registers.get(ICS_REG), value));
    if (!registers.isSet(ICS_REG, IWC)) {
      registers.clear(IECTL_REG, VtdRegisters.IP);
    }
  }

  /// Takes a write to FECTL_REG or IECTL_REG: what was held back goes out.
  synchronized void control(Register control, long value) {
    registers.set(control, control.legalize(registers.get(control), value));
    boolean pending = registers.isSet(control, VtdRegisters.IP);
    if (pending && !registers.isSet(control, VtdRegisters.IM)) {
      registers.clear(control, VtdRegisters.IP);
      if (control == FECTL_REG) {
        send(FEADDR_REG, FEDATA_REG);
      } else {
        send(IEADDR_REG, IEDATA_REG);
      }
    }
  }

  private void event(Register control, Register address, Register data) {
    if (registers.isSet(control, VtdRegisters.IM)) {
      registers.raise(control, VtdRegisters.IP);
    } else {
      send(address, data);
    }
  }

  /// The unit's own messages are not remapped.
  private void send(Register address, Register data) {
    long at = registers.get(address);
    long upper = registers.get(address == FEADDR_REG ? FEUADDR_REG : IEUADDR_REG);
    long datum = registers.get(data);
    int command =
        X86CommandLayout.command(
            X86MessageLayout.VECTOR.getInt(datum),
            X86MessageLayout.DELIVERY_MODE.getInt(datum),
            X86MessageLayout.MODE.isSet(at));
    apics.send(upper | X86MessageLayout.DESTINATION.get(at), command, upper != 0);
  }
}
