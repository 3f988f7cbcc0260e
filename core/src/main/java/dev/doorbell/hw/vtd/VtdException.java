package dev.doorbell.hw.vtd;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Refusal.Figure;
import dev.doorbell.explain.Refused;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// A remapping unit does not do what it was told, or cannot.
public final class VtdException extends RuntimeException implements Refused {
  private static final long serialVersionUID = 1L;

  private final transient Refusal refusal;

  private VtdException(Refusal refusal) {
    super(refusal.message());
    this.refusal = refusal;
  }

  @Override
  public Refusal refusal() {
    return refusal;
  }

  /// {@return that the hardware lacks something which the driver cannot do without}
  ///
  /// @param register the register that tells
  /// @param lacks what is missing
  static VtdException unsupported(String unit, String register, long value, String lacks) {
    return of(
        unit,
        "VtdUnsupported",
        "%s cannot be driven: %s is 0x%x, %s".formatted(unit, register, value, lacks),
        register,
        "choose a function behind another IOMMU; docs/caveats.md lists what the driver needs");
  }

  /// {@return that the hardware has not the stage, or the tables, that were asked for}
  ///
  /// @param lacks what is missing
  static VtdException withoutStage(String unit, long ecap, String lacks) {
    return of(
        unit,
        "VtdUnsupported",
        "%s cannot be driven so: ECAP_REG is 0x%x, %s".formatted(unit, ecap, lacks),
        "ECAP_REG",
        "ask for stage 2, which legacy mode has, or for no stage");
  }

  /// {@return that something did not come about}
  ///
  /// @param last the last value that was read of the register
  static VtdException timeout(String unit, String waitedFor, String register, long last) {
    return of(
        unit,
        "VtdTimeout",
        "%s: %s did not come about within %d reads; %s is 0x%x"
            .formatted(unit, waitedFor, VtdPort.READS, register, last),
        register,
        "reset the machine; what the unit was told of last may or may not be in force");
  }

  /// {@return that a unit refused a descriptor of its invalidation queue}
  static VtdException queue(String unit, long fsts, long head) {
    return of(
        unit,
        "VtdQueueError",
        "%s stopped at the descriptor at offset 0x%x of its invalidation queue: FSTS_REG is 0x%x"
            .formatted(unit, head, fsts),
        "FSTS_REG",
        "reset the machine if it happens again; the change that needed the invalidation was taken back");
  }

  /// {@return that all of something is taken}
  static VtdException exhausted(String unit, Figure needed, Figure available) {
    return new VtdException(
        new Refusal(
            "VtdExhausted",
            "%s needs %d of its %s and %d are free"
                .formatted(unit, needed.value(), needed.unit(), available.value()),
            Optional.of(needed),
            Optional.of(available),
            List.of(unit),
            Source.rule("CAP_REG.ND of " + unit),
            "close a domain first"));
  }

  private static VtdException of(
      String unit, String type, String message, String register, String advice) {
    return new VtdException(
        new Refusal(
            type,
            message,
            Optional.empty(),
            Optional.empty(),
            List.of(unit, register),
            Source.rule(register + " of " + unit),
            advice));
  }
}
