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
    /// Firmware offers it, and nothing in the capture tells whether it is used.
    UNSEEN
  }

  /// {@return what a kernel makes of it that turns remapping on wherever firmware offers it, as Doorbell and by default Linux do}
  public InterruptRemapping asOffered() {
    return state == State.UNSEEN
        ? new InterruptRemapping(
            State.ON, "firmware offers to remap interrupts, and Doorbell turns it on", source)
        : this;
  }

  public boolean isOn() {
    return state == State.ON;
  }
}
