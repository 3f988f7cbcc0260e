package dev.doorbell.plan.emit;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Refusal.Figure;
import dev.doorbell.explain.Refused;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// A plan that cannot be said in a form. Nothing is printed.
public final class NotExpressible extends RuntimeException implements Refused {
  private static final long serialVersionUID = 1L;

  private final transient Refusal refusal;

  private NotExpressible(Refusal refusal) {
    super(refusal.message());
    this.refusal = refusal;
  }

  @Override
  public Refusal refusal() {
    return refusal;
  }

  /// Guest RAM that the consumer would put elsewhere.
  static NotExpressible ram(String message, List<String> objects, Source source, String advice) {
    return of("RamNotExpressible", message, objects, source, advice);
  }

  /// A window that the form has no words for.
  static NotExpressible window(String message, List<String> objects, Source source, String advice) {
    return of("WindowNotExpressible", message, objects, source, advice);
  }

  /// A machine of a family whose guests the form does not cover.
  static NotExpressible guest(String message, List<String> objects, Source source, String advice) {
    return of("GuestNotExpressible", message, objects, source, advice);
  }

  /// More functions than the guest's bus has free slots.
  static NotExpressible slots(int needed, int available) {
    return new NotExpressible(
        new Refusal(
            "GuestSlotsExhausted",
            "%d functions have no room in the %d free slots of the guest's bus 0"
                .formatted(needed, available),
            Optional.of(new Figure(needed, "slots")),
            Optional.of(new Figure(available, "slots")),
            List.of("guest bus 0"),
            Source.rule("PCI 3.0 3.2.2.3.2: 32 devices on a bus"),
            "plan for fewer functions, or add root ports to the guest by hand"));
  }

  private static NotExpressible of(
      String type, String message, List<String> objects, Source source, String advice) {
    return new NotExpressible(
        new Refusal(type, message, Optional.empty(), Optional.empty(), objects, source, advice));
  }
}
