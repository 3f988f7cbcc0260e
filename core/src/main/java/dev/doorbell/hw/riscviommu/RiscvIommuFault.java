package dev.doorbell.hw.riscviommu;

/// A record of the fault queue.
///
/// @param cause as the manual numbers it
/// @param type `TTYP`
/// @param iotval the IOVA
/// @param iotval2 of a guest-page fault, the guest physical address and what kind of access it was
record RiscvIommuFault(int cause, int deviceId, int type, long iotval, long iotval2) {
  @Override
  public String toString() {
    return "%s (%d) of device 0x%x at 0x%x"
        .formatted(FaultLayout.name(cause), cause, deviceId, iotval);
  }
}
