package dev.doorbell.diff;

/// A device of the other machine cannot send messages.
public final class NoMessages extends DiffException {
  private static final long serialVersionUID = 1L;

  NoMessages(String machine, long config) {
    super(
        "%s: the device whose configuration space is at 0x%x has no MSI capability"
            .formatted(machine, config));
  }
}
