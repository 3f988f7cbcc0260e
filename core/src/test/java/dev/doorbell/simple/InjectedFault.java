package dev.doorbell.simple;

import dev.doorbell.bus.BusException;
import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// A hardware write that a test made fail.
public final class InjectedFault extends BusException {
  private static final long serialVersionUID = 1L;

  InjectedFault(long nth, String what) {
    super(
        new Refusal(
            "InjectedFault",
            "write " + nth + " failed: " + what,
            Optional.empty(),
            Optional.empty(),
            List.of(what),
            Source.rule("test"),
            "none"));
  }
}
