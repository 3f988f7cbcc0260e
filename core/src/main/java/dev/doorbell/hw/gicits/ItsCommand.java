package dev.doorbell.hw.gicits;

import static dev.doorbell.hw.gicits.ItsCommandLayout.*;

/// One command as the driver sends it.
///
/// @param dw0 the first doubleword, which names the command
record ItsCommand(long dw0, long dw1, long dw2, long dw3) {
  private ItsCommand(long dw0, long dw1, long dw2) {
    this(dw0, dw1, dw2, 0);
  }

  static ItsCommand mapd(int device, int eventBits, long itt) {
    return new ItsCommand(
        of(MAPD, device), SIZE.place(eventBits - 1L), ITT_ADDRESS.place(itt) | MAPD_VALID.place(1));
  }

  static ItsCommand unmapd(int device) {
    return new ItsCommand(of(MAPD, device), 0, 0);
  }

  static ItsCommand mapc(int icid, long target) {
    return new ItsCommand(
        CODE.place(MAPC), 0, ICID.place(icid) | RDBASE.place(target) | MAPC_VALID.place(1));
  }

  static ItsCommand mapti(int device, int event, int intid, int icid) {
    return new ItsCommand(of(MAPTI, device), event(event) | PINTID.place(intid), ICID.place(icid));
  }

  /// The EventID is the LPI's number.
  static ItsCommand mapi(int device, int intid, int icid) {
    return new ItsCommand(of(MAPI, device), event(intid), ICID.place(icid));
  }

  static ItsCommand movi(int device, int event, int icid) {
    return new ItsCommand(of(MOVI, device), event(event), ICID.place(icid));
  }

  static ItsCommand discard(int device, int event) {
    return new ItsCommand(of(DISCARD, device), event(event), 0);
  }

  static ItsCommand clear(int device, int event) {
    return new ItsCommand(of(CLEAR, device), event(event), 0);
  }

  static ItsCommand raise(int device, int event) {
    return new ItsCommand(of(INT, device), event(event), 0);
  }

  static ItsCommand inv(int device, int event) {
    return new ItsCommand(of(INV, device), event(event), 0);
  }

  static ItsCommand invall(int icid) {
    return new ItsCommand(CODE.place(INVALL), 0, ICID.place(icid));
  }

  static ItsCommand movall(long from, long to) {
    return new ItsCommand(CODE.place(MOVALL), 0, RDBASE.place(from), RDBASE2.place(to));
  }

  static ItsCommand sync(long target) {
    return new ItsCommand(CODE.place(SYNC), 0, RDBASE.place(target));
  }

  private static long of(int code, int device) {
    return CODE.place(code) | DEVICE_ID.place(Integer.toUnsignedLong(device));
  }

  private static long event(int event) {
    return EVENT_ID.place(Integer.toUnsignedLong(event));
  }

  @Override
  public String toString() {
    int code = CODE.getInt(dw0);
    return switch (code) {
      case SYNC, INVALL, MAPC, MOVALL -> NAMES.nameOf(code);
      case MAPD -> "MAPD of DeviceID 0x%x".formatted(DEVICE_ID.get(dw0));
      default ->
          "%s of DeviceID 0x%x, EventID %d"
              .formatted(NAMES.nameOf(code), DEVICE_ID.get(dw0), EVENT_ID.get(dw1));
    };
  }
}
