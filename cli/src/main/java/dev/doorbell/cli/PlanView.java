package dev.doorbell.cli;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import dev.doorbell.cli.Json.Range;
import dev.doorbell.cli.Json.UnseenView;
import dev.doorbell.plan.Conflict;
import dev.doorbell.plan.LedgerLine;
import dev.doorbell.plan.Plan;
import dev.doorbell.plan.Thing;
import dev.doorbell.plan.WindowPlan;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The JSON document of `plan`.
record PlanView(
    @Nullable WindowView window,
    List<Range> ram,
    List<LedgerView> ledger,
    List<ConflictView> conflicts,
    List<UnseenView> unseen,
    String verdict) {

  /// @param needed bytes that the doorbells take
  /// @param headroom bytes left
  /// @param order log2 of the window's size in granules
  record WindowView(
      String start,
      String end,
      String granule,
      List<DoorbellView> doorbells,
      long needed,
      long headroom,
      int order,
      String why,
      String source) {
    static WindowView of(WindowPlan w) {
      return new WindowView(
          Json.hex(w.range().start()),
          Json.hex(w.range().last()),
          w.granule().toString(),
          w.doorbells().stream()
              .map(d -> new DoorbellView(d.controller().id(), Range.of(d.page())))
              .toList(),
          w.needed(),
          w.headroom(),
          w.order(),
          w.why(),
          w.source().toString());
    }
  }

  record DoorbellView(String controller, Range frame) {}

  record LedgerView(String sbdf, int advertised, int granted, String limit) {
    static LedgerView of(LedgerLine l) {
      return new LedgerView(l.sbdf().toString(), l.advertised(), l.granted(), l.limit());
    }
  }

  record ThingView(String name, @Nullable String start, @Nullable String end, String source) {
    static ThingView of(Thing t) {
      return new ThingView(
          t.name(),
          t.range().map(r -> Json.hex(r.start())).orElse(null),
          t.range().map(r -> Json.hex(r.last())).orElse(null),
          t.source().toString());
    }
  }

  record ConflictView(
      String type, boolean blocks, String message, ThingView a, ThingView b, String advice) {
    static ConflictView of(Conflict c) {
      return new ConflictView(
          c.kind(), c.blocks(), c.message(), ThingView.of(c.a()), ThingView.of(c.b()), c.advice());
    }
  }

  /// The same with what `--emit` prints; null when the verdict is no.
  record Emitted(@JsonUnwrapped PlanView plan, @Nullable String emitted) {}

  static PlanView of(Plan p) {
    return new PlanView(
        p.window().map(WindowView::of).orElse(null),
        p.ram().stream().map(Range::of).toList(),
        p.ledger().stream().map(LedgerView::of).toList(),
        p.conflicts().stream().map(ConflictView::of).toList(),
        p.unseen().stream().map(UnseenView::of).toList(),
        p.verdict().toString());
  }
}
