package dev.doorbell.simple;

import dev.doorbell.bus.BusException;

/// A hardware write that a test made fail.
public final class InjectedFault extends BusException {
  private static final long serialVersionUID = 1L;

  InjectedFault(long nth, String what) {
    super("write " + nth + " failed: " + what);
  }
}
