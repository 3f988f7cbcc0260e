package dev.doorbell.diff;

import java.util.Optional;

/// An access, as it is made on every machine.
///
/// @param process process_id; -1 for none
/// @param data what is written, where a device writes
/// @param question the write of a register by which software asks the IOMMU what would become of it; empty where a device makes it
record Attempt(int requester, int process, long address, int data, Optional<Step.Write> question) {
  static Attempt of(Step.Message m) {
    return new Attempt(m.requester(), -1, m.address(), m.data(), Optional.empty());
  }

  /// {@return the same to another address}
  Attempt at(long other) {
    return new Attempt(requester, process, other, data, question);
  }

  @Override
  public String toString() {
    return "%s of 0x%x to 0x%x%s"
        .formatted(
            question.isEmpty() ? "a write" : "a question about an access",
            requester,
            address,
            process < 0 ? "" : " by process " + process);
  }
}
