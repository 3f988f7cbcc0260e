package dev.doorbell.vfio;

/// Something that a vector signals. Called from whichever thread delivers interrupts; does not block.
@FunctionalInterface
public interface Trigger {
  void signalled();
}
