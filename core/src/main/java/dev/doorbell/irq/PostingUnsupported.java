package dev.doorbell.irq;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// A vector is to be posted to a guest, and nothing on its way can do that.
public final class PostingUnsupported extends IrqException {
  private static final long serialVersionUID = 1L;

  /// @param source whose vector it is
  /// @param why what is missing, such as `CAP_REG.PI is 0`
  public PostingUnsupported(String source, String controller, String why) {
    super(
        new Refusal(
            "PostingUnsupported",
            "vectors of %s cannot be posted by %s: %s".formatted(source, controller, why),
            Optional.empty(),
            Optional.empty(),
            List.of(source, controller),
            Source.rule(why),
            "let the host take the interrupt and inject it into the guest"));
  }
}
