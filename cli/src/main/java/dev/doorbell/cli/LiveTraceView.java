package dev.doorbell.cli;

import dev.doorbell.cli.Json.UnseenView;
import dev.doorbell.cli.TraceView.InterruptView;
import dev.doorbell.linux.KernelInterrupt;
import dev.doorbell.linux.LiveHop;
import dev.doorbell.linux.LiveTrace;
import dev.doorbell.linux.ProgrammedVector;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The JSON document of `trace --on linux`: that of `trace`, and what moved. What cannot be seen is null.
///
/// @param doorbell the kernel does not show where its tables lead, and so this is null
/// @param delivered whether the kernel counted an interrupt of the vector while it was watched
/// @param interrupt its `intid` is the last controller's number: an INTID, or a vector of the processor
/// @param enabled whether the function's MSI or MSI-X is on
/// @param counted interrupts that the kernel took meanwhile
record LiveTraceView(
    List<HopView> hops,
    @Nullable String doorbell,
    boolean delivered,
    @Nullable InterruptView interrupt,
    @Nullable String stoppedAt,
    @Nullable Boolean masked,
    @Nullable Boolean enabled,
    @Nullable Boolean pending,
    @Nullable String address,
    @Nullable Integer data,
    @Nullable Integer irq,
    @Nullable Long counted,
    List<UnseenView> unseen,
    String verdict) {
  /// @param movement moved, still or unseen
  record HopView(
      String at, String in, String out, String why, String source, String basis, String movement) {
    static HopView of(LiveHop h) {
      return new HopView(
          h.hop().at(),
          h.hop().in(),
          h.hop().out(),
          h.hop().why(),
          h.hop().source().toString(),
          Json.name(h.hop().basis()),
          Json.name(h.movement()));
    }
  }

  static LiveTraceView of(LiveTrace t, String verdict) {
    Optional<ProgrammedVector> p = t.programmed();
    Optional<KernelInterrupt> i = t.interrupt();
    return new LiveTraceView(
        t.hops().stream().map(HopView::of).toList(),
        null,
        t.delivered(),
        i.filter(x -> t.intid().isPresent())
            .map(x -> new InterruptView(x.chip(), (int) t.intid().getAsLong(), cpu(x.cpus())))
            .orElse(null),
        t.stoppedAt().orElse(null),
        p.flatMap(ProgrammedVector::masked).orElse(null),
        p.map(ProgrammedVector::enabled).orElse(null),
        p.flatMap(ProgrammedVector::pending).orElse(null),
        p.map(x -> Json.hex(x.address())).orElse(null),
        p.map(ProgrammedVector::data).orElse(null),
        i.map(KernelInterrupt::irq).orElse(null),
        t.counted().isPresent() ? t.counted().getAsLong() : null,
        t.unseen().stream().map(UnseenView::of).toList(),
        verdict);
  }

  private static @Nullable Integer cpu(String list) {
    return list.matches("\\d{1,6}") ? Integer.valueOf(list) : null;
  }
}
