package dev.doorbell.description;

import dev.doorbell.explain.Source;

/// Whether an IOMMU of an x86 machine looks interrupts up in a table of the host's before a CPU sees them.
///
/// @param because the deciding fact
/// @param source where that was read
public record InterruptRemapping(State state, String because, Source source) {
  /// What is known.
  public enum State {
    /// Every message is looked up by who sends it.
    ON,
    /// A write to the interrupt address range is an interrupt, whoever sends it.
    OFF,
    /// Nothing in the capture tells.
    UNSEEN
  }

  public boolean isOn() {
    return state == State.ON;
  }
}
