package dev.doorbell.irq;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import dev.doorbell.iommu.DoorbellLease;
import java.util.List;
import java.util.Optional;

/// A function cannot send the message that would raise its vector: its capability holds 32-bit addresses only and the doorbell
/// lies higher, or it holds 16-bit data only and the datum is wider.
public final class MessageOutOfReach extends IrqException {
  private static final long serialVersionUID = 1L;

  private MessageOutOfReach(Refusal refusal) {
    super(refusal);
  }

  static MessageOutOfReach address(String function, DoorbellLease lease) {
    return of(
        function,
        lease.frame().name(),
        "%s cannot write to the doorbell of %s at %s: its MSI capability has no 64-bit address"
            .formatted(function, lease.frame().name(), lease.iova()),
        "reserve the MSI window below 4 GiB");
  }

  static MessageOutOfReach data(String function, String controller, int data, long max) {
    return of(
        function,
        controller,
        "%s cannot send datum 0x%x to %s: its MSI capability holds at most 0x%x"
            .formatted(function, data, controller, max),
        "use MSI-X, or a controller with smaller data");
  }

  private static MessageOutOfReach of(
      String function, String other, String message, String advice) {
    return new MessageOutOfReach(
        new Refusal(
            "MessageOutOfReach",
            message,
            Optional.empty(),
            Optional.empty(),
            List.of(function, other),
            Source.rule("Message Control of " + function),
            advice));
  }
}
