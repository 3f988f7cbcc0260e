package dev.doorbell.hw.smmuv2;

import java.util.Optional;

/// Where a stream goes: the content of its stream-to-context register and, where that leads to a guest's bank, what the bank holds.
///
/// @param register SMMU_S2CRn
/// @param guest what must be in the bank before the register leads there
record StreamWay(long register, Optional<Guest> guest) {
  /// A guest's stage 1 above a stage 2 of the host.
  ///
  /// @param bank of stage 1
  /// @param below the bank of stage 2
  record Guest(int bank, int below, SmmuV2GuestContext context) {}

  /// {@return a way that leads to no guest}
  static StreamWay of(long register) {
    return new StreamWay(register, Optional.empty());
  }
}
