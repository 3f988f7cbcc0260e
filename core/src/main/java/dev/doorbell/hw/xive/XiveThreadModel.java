package dev.doorbell.hw.xive;

import static dev.doorbell.hw.xive.TimaRegisters.LEAST_FAVORED;

import dev.doorbell.bits.RegisterPorts;

/// The context of one hardware thread: which priorities are pending, which of them get through, and whether the thread is told. Callers synchronise.
final class XiveThreadModel {
  private static final int HIGHEST = 0x80;

  private final RegisterPorts ports = new RegisterPorts(TimaRegisters.MAP);
  private boolean valid;
  private int cppr;
  private int ipb;
  private int nsr;

  XiveThreadModel() {
    ports.on(TimaRegisters.NSR, _ -> nsr);
    ports.on(TimaRegisters.CPPR, _ -> cppr, (_, v) -> favor((int) v));
    ports.on(TimaRegisters.IPB, _ -> ipb);
    ports.on(TimaRegisters.PIPR, _ -> mostFavored());
    ports.on(
        TimaRegisters.W2,
        _ -> TimaRegisters.VT.place(valid ? 1 : 0),
        (_, v) -> valid = TimaRegisters.VT.isSet(v));
    ports.on(TimaRegisters.ACK, _ -> acknowledge());
  }

  RegisterPorts ports() {
    return ports;
  }

  boolean isValid() {
    return valid;
  }

  /// Makes a priority pending.
  void present(int priority) {
    ipb |= HIGHEST >>> priority;
    tell();
  }

  private void favor(int priority) {
    cppr = priority;
    nsr = 0;
    tell();
  }

  private int mostFavored() {
    return ipb == 0
        ? LEAST_FAVORED
        : Integer.numberOfLeadingZeros(ipb) - (Integer.SIZE - Byte.SIZE);
  }

  private void tell() {
    if (mostFavored() < cppr) {
      nsr = (int) TimaRegisters.HE.place(TimaRegisters.PHYS);
    }
  }

  private long acknowledge() {
    int before = nsr;
    if (TimaRegisters.HE.get(nsr) == TimaRegisters.PHYS) {
      cppr = mostFavored();
      ipb &= ~(HIGHEST >>> cppr);
      nsr = 0;
    }
    return TimaRegisters.ACK_HE.place(TimaRegisters.HE.get(before))
        | TimaRegisters.ACK_CPPR.place(cppr);
  }
}
