package dev.doorbell.machine;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Refused;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// A description has hardware that no model stands for, or lacks what a model needs.
public final class NotModelled extends MachineException implements Refused {
  private static final long serialVersionUID = 1L;
  private final transient Refusal refusal;

  /// @param what the piece of hardware, with its kind
  /// @param why what is missing; lower case, no period
  public NotModelled(String what, String why, Source source) {
    super("%s cannot be modelled: %s".formatted(what, why));
    refusal =
        new Refusal(
            "NotModelled",
            "%s cannot be modelled: %s".formatted(what, why),
            Optional.empty(),
            Optional.empty(),
            List.of(what),
            source,
            "inspect, plan and trace --tables still read this machine; docs/caveats.md lists the hardware that is modelled");
  }

  @Override
  public Refusal refusal() {
    return refusal;
  }
}
