package dev.doorbell.machine;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Refused;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// A description says what no machine can have: registers of two devices at one place, a vector table in a BAR that nothing leads to. Its
/// input is damaged, or lies; it is not hardware that lacks a model ({@link NotModelled}).
public final class UnusableDescription extends MachineException implements Refused {
  private static final long serialVersionUID = 1L;
  private final transient Refusal refusal;

  /// @param what the piece of hardware
  /// @param why what is wrong with it; lower case, no period
  /// @param source where it was read
  public UnusableDescription(String what, String why, Source source) {
    super("%s cannot be: %s".formatted(what, why));
    refusal =
        new Refusal(
            "UnusableDescription",
            "%s cannot be: %s".formatted(what, why),
            Optional.empty(),
            Optional.empty(),
            List.of(what),
            source,
            "give a capture whose %s is right; inspect and plan still read this one"
                .formatted(source.where()));
  }

  @Override
  public Refusal refusal() {
    return refusal;
  }
}
