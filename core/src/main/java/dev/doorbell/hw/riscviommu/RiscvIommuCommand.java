package dev.doorbell.hw.riscviommu;

import static dev.doorbell.hw.riscviommu.CommandLayout.*;

/// A command as the driver writes it.
///
/// **Source**: RISC-V IOMMU Architecture 1.0, 4.1.
///
/// @param first its first doubleword
/// @param second its second one
record RiscvIommuCommand(long first, long second) {
  /// {@return what forgets one page of a host's address space}
  static RiscvIommuCommand page(int pscid, long iova) {
    return new RiscvIommuCommand(
        all(pscid).first() | AV.mask(), ADDR.place(DirectoryLayout.ppn(iova)));
  }

  /// {@return what forgets a host's address space, tables included}
  static RiscvIommuCommand all(int pscid) {
    return new RiscvIommuCommand(
        OPCODE.place(IOTINVAL) | FUNC3.place(VMA) | PSCV.mask() | PSCID.place(pscid), 0);
  }

  /// {@return what forgets one page of a second stage}
  static RiscvIommuCommand guestPage(int gscid, long gpa) {
    return new RiscvIommuCommand(
        guest(gscid).first() | AV.mask(), ADDR.place(DirectoryLayout.ppn(gpa)));
  }

  /// {@return what forgets a second stage, tables included}
  static RiscvIommuCommand guest(int gscid) {
    return new RiscvIommuCommand(
        OPCODE.place(IOTINVAL) | FUNC3.place(GVMA) | GV.mask() | GSCID.place(gscid), 0);
  }

  /// {@return what forgets the first stages above a second one, tables included}
  static RiscvIommuCommand guestFirst(int gscid) {
    return new RiscvIommuCommand(
        OPCODE.place(IOTINVAL) | FUNC3.place(VMA) | GV.mask() | GSCID.place(gscid), 0);
  }

  /// {@return what forgets every first stage of the host's}
  static RiscvIommuCommand everyFirstStage() {
    return new RiscvIommuCommand(OPCODE.place(IOTINVAL) | FUNC3.place(VMA), 0);
  }

  /// {@return what forgets every second stage}
  static RiscvIommuCommand everySecondStage() {
    return new RiscvIommuCommand(OPCODE.place(IOTINVAL) | FUNC3.place(GVMA), 0);
  }

  /// {@return what forgets a device's context}
  static RiscvIommuCommand device(int deviceId) {
    return new RiscvIommuCommand(
        DIR_OPCODE.place(IODIR) | DIR_FUNC3.place(INVAL_DDT) | DV.mask() | DID.place(deviceId), 0);
  }

  /// {@return what forgets the context of one of a device's processes}
  static RiscvIommuCommand process(int deviceId, int processId) {
    return new RiscvIommuCommand(
        DIR_OPCODE.place(IODIR)
            | DIR_FUNC3.place(INVAL_PDT)
            | PID.place(processId)
            | DV.mask()
            | DID.place(deviceId),
        0);
  }

  /// {@return what forgets the whole directory}
  static RiscvIommuCommand everyDevice() {
    return new RiscvIommuCommand(DIR_OPCODE.place(IODIR) | DIR_FUNC3.place(INVAL_DDT), 0);
  }

  /// {@return what completes when everything before it has, devices' accesses included}
  static RiscvIommuCommand fence() {
    return new RiscvIommuCommand(
        FENCE_OPCODE.place(IOFENCE)
            | FENCE_FUNC3.place(FENCE_C)
            | FENCE_PR.mask()
            | FENCE_PW.mask(),
        0);
  }

  @Override
  public String toString() {
    String name =
        switch (OPCODE.getInt(first)) {
          case IOTINVAL -> FUNC3.getInt(first) == VMA ? "IOTINVAL.VMA" : "IOTINVAL.GVMA";
          case IOFENCE -> "IOFENCE.C";
          case IODIR -> FUNC3.getInt(first) == INVAL_DDT ? "IODIR.INVAL_DDT" : "IODIR.INVAL_PDT";
          default -> "command";
        };
    return "%s (0x%x 0x%x)".formatted(name, first, second);
  }
}
