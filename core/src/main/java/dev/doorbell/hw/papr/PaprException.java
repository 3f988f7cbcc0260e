package dev.doorbell.hw.papr;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Refused;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// The hypervisor does not do what it is asked for.
public final class PaprException extends RuntimeException implements Refused {
  private static final long serialVersionUID = 1L;

  private final transient Refusal refusal;

  private PaprException(Refusal refusal) {
    super(refusal.message());
    this.refusal = refusal;
  }

  @Override
  public Refusal refusal() {
    return refusal;
  }

  /// A call was answered with an error.
  static PaprException refused(String who, String call, String status) {
    return new PaprException(
        new Refusal(
            "HypervisorRefused",
            "%s: the hypervisor answered %s with %s".formatted(who, call, status),
            Optional.empty(),
            Optional.empty(),
            List.of(who, call),
            Source.rule("LoPAPR 1.1, statuses of " + call),
            "look at the hypervisor's log; the device tree may tell of what it does not give"));
  }

  /// There is no such call.
  static PaprException absent(String who, String call) {
    return new PaprException(
        new Refusal(
            "HypervisorLacks",
            "%s: the hypervisor has no call %s".formatted(who, call),
            Optional.empty(),
            Optional.empty(),
            List.of(who, call),
            Source.rule("/rtas, ibm,hypertas-functions"),
            "take a machine type or firmware that has it"));
  }

  /// A call was put off too often.
  ///
  /// @param tries calls that were made
  /// @param most calls that are made before giving up
  static PaprException busy(String who, String call, int tries, int most, long status) {
    return new PaprException(
        new Refusal(
            "HypervisorBusy",
            "%s: the hypervisor put %s off %d times, the last one with status %d"
                .formatted(who, call, tries, status),
            Optional.of(new Refusal.Figure(tries, "calls")),
            Optional.of(new Refusal.Figure(most, "calls")),
            List.of(who, call),
            Source.rule("LoPAPR 1.1, 7.2.8.1, extended delays"),
            "try again when the hypervisor has less to do"));
  }

  /// A processor's queue has no room for another source.
  ///
  /// @param wanted sources that tell processors
  /// @param most entries of a queue
  static PaprException queueFull(String who, long wanted, long most) {
    return new PaprException(
        new Refusal(
            "EventQueueFull",
            "%s: %d sources are to tell processors, and a queue has %d entries"
                .formatted(who, wanted, most),
            Optional.of(new Refusal.Figure(wanted, "sources")),
            Optional.of(new Refusal.Figure(most, "entries")),
            List.of(who),
            Source.rule("ibm,xive-eq-sizes of the interrupt controller's node"),
            "use fewer vectors, or a hypervisor that takes larger queues"));
  }

  /// The hypervisor gives no further window.
  static PaprException noWindow(String who, long wanted, long most, String unit, Source source) {
    return new PaprException(
        new Refusal(
            "DmaWindowsExhausted",
            "%s: a further DMA window needs %d %s, and the hypervisor gives %d"
                .formatted(who, wanted, unit, most),
            Optional.of(new Refusal.Figure(wanted, unit)),
            Optional.of(new Refusal.Figure(most, unit)),
            List.of(who),
            source,
            "use pages of 4 KiB, which the window of ibm,dma-window has"));
  }

  /// A guest's functions have no way around their windows.
  static PaprException noBypass(String who) {
    return new PaprException(
        new Refusal(
            "NoBypass",
            "%s cannot let accesses pass untranslated: the hypervisor's window is their only way"
                .formatted(who),
            Optional.empty(),
            Optional.empty(),
            List.of(who),
            Source.rule("LoPAPR 1.1, 14.5.4.2"),
            "attach its functions to a domain and map what they need"));
  }
}
