package dev.doorbell.hw.phb;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Refused;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// A bridge does not do what it is told, or has no place left.
public final class PhbException extends RuntimeException implements Refused {
  private static final long serialVersionUID = 1L;

  private final transient Refusal refusal;

  private PhbException(Refusal refusal) {
    super(refusal.message());
    this.refusal = refusal;
  }

  @Override
  public Refusal refusal() {
    return refusal;
  }

  static PhbException fenced(String phb, String register) {
    return of(
        "PhbFenced",
        "%s is fenced: %s reads as ones, and nothing passes".formatted(phb, register),
        phb,
        register,
        "reset its ETU and restore its tables; its functions must be reset");
  }

  static PhbException timeout(String phb, String register, long last, int polls) {
    return of(
        "PhbTimeout",
        "%s: %s did not tell of the end within %d reads; the last one was 0x%x"
            .formatted(phb, register, polls, last),
        phb,
        register,
        "reset the bridge; what it was told of last may or may not be in force");
  }

  /// All PEs are other requester ids'.
  static PhbException noPe(String phb, int rid, int pes) {
    return new PhbException(
        new Refusal(
            "PesExhausted",
            "%s has no PE for requester id 0x%x: it has %d, and all are taken"
                .formatted(phb, rid, pes),
            Optional.of(new Refusal.Figure(1, "PEs")),
            Optional.of(new Refusal.Figure(0, "PEs")),
            List.of(phb),
            Source.rule("PHB_PHB4_EEH_CAP of " + phb),
            "attach fewer functions behind " + phb));
  }

  private static PhbException of(
      String type, String message, String phb, String register, String advice) {
    return new PhbException(
        new Refusal(
            type,
            message,
            Optional.empty(),
            Optional.empty(),
            List.of(phb),
            Source.rule(register + " of " + phb),
            advice));
  }
}
