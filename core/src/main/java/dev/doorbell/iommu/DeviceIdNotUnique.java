package dev.doorbell.iommu;

import dev.doorbell.explain.Refusal;
import java.util.List;
import java.util.Optional;

/// A function would reach a doorbell with a DeviceID under which a function of another domain has vectors there, and unsafe
/// interrupts are not allowed (R7, R21).
public final class DeviceIdNotUnique extends IommuException {
  private static final long serialVersionUID = 1L;

  /// @param attempt what was tried, such as `cannot attach group 3 to domain 1`
  /// @param writer who could raise the other's vectors
  /// @param domain where it is, or would be
  /// @param victim whose vectors they are, at which controller, and under which DeviceID
  /// @param owner the victim's domain, or `the host`
  public DeviceIdNotUnique(
      String attempt, IommuGroup.Member writer, String domain, Ringer victim, String owner) {
    super(
        new Refusal(
            "DeviceIdNotUnique",
            "%s: %s in %s would reach the doorbell of %s with DeviceID 0x%x, under which %s of %s has its vectors there; it could raise them"
                .formatted(
                    attempt,
                    writer.name(),
                    domain,
                    victim.frame().name(),
                    victim.deviceId().orElseThrow(),
                    victim.function(),
                    owner),
            Optional.empty(),
            Optional.empty(),
            List.of(writer.name(), victim.function(), victim.frame().name(), domain, owner),
            victim.source(),
            advice(writer, domain, victim)));
  }

  /// A function that is itself behind the controller has its doorbell in any container.
  private static String advice(IommuGroup.Member writer, String domain, Ringer victim) {
    String frame = victim.frame().name();
    boolean own = List.of(writer.isolation().controller().split(", ", -1)).contains(frame);
    String apart =
        own
            ? ""
            : "keep %s and the functions behind %s in containers of their own so that its doorbell is not mapped for %s, "
                .formatted(writer.name(), frame, writer.name());
    return "%sgive the two functions DeviceIDs of their own in firmware (IORT, msi-map), or allow unsafe interrupts if the owner of %s is trusted"
        .formatted(apart, domain);
  }
}
