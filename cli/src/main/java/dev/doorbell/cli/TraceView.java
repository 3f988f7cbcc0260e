package dev.doorbell.cli;

import dev.doorbell.explain.Basis;
import dev.doorbell.explain.Hop;
import dev.doorbell.route.Route;
import java.util.List;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/// The JSON document of `trace`.
///
/// @param delivered reaches the controller and is known there
/// @param masked whether the function holds the vector back; null when that cannot be seen
/// @param enabled whether the controller forwards the interrupt; null when that cannot be seen
record TraceView(
    List<HopView> hops,
    @Nullable String doorbell,
    boolean delivered,
    @Nullable InterruptView interrupt,
    @Nullable String stoppedAt,
    @Nullable Boolean masked,
    @Nullable Boolean enabled,
    String verdict) {

  record HopView(String at, String in, String out, String why, String source, String basis) {
    static HopView of(Hop h) {
      return new HopView(
          h.at(), h.in(), h.out(), h.why(), h.source().toString(), Json.name(told(h.basis())));
    }

    /// Scripts know three words. That something cannot be seen is a conclusion, and `out` says it.
    private static Basis told(Basis basis) {
      return basis == Basis.UNSEEN ? Basis.DERIVED : basis;
    }
  }

  record InterruptView(String controller, int intid, @Nullable Integer cpu) {
    static InterruptView of(Route.Interrupt i) {
      OptionalInt cpu = i.cpu();
      return new InterruptView(i.controller(), i.intid(), cpu.isPresent() ? cpu.getAsInt() : null);
    }
  }

  static TraceView of(Route r, String verdict) {
    return new TraceView(
        r.hops().stream().map(HopView::of).toList(),
        r.doorbell().isPresent() ? Json.hex(r.doorbell().getAsLong()) : null,
        r.delivered(),
        r.interrupt().map(InterruptView::of).orElse(null),
        r.stoppedAt().orElse(null),
        r.masked().orElse(null),
        r.enabled().orElse(null),
        verdict);
  }
}
