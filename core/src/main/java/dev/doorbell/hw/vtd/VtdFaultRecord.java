package dev.doorbell.hw.vtd;

/// What a unit recorded of an access or message that ended in it.
///
/// @param sourceId who
/// @param reason the fault's code
/// @param information the page's address; of an interrupt request its index in bits 63:48
/// @param read whether the access was a read
public record VtdFaultRecord(int sourceId, int reason, long information, boolean read) {
  static VtdFaultRecord of(long low, long high) {
    return new VtdFaultRecord(
        VtdRegisters.FAULT_SID.getInt(high),
        VtdRegisters.FR.getInt(high),
        VtdRegisters.FI.get(low),
        VtdRegisters.T1.isSet(high));
  }
}
