package dev.doorbell.cli;

import dev.doorbell.address.AddressRange;
import dev.doorbell.plan.Conflict;
import dev.doorbell.plan.LedgerLine;
import dev.doorbell.plan.Plan;
import dev.doorbell.plan.Plan.Answer;
import dev.doorbell.plan.Thing;
import dev.doorbell.plan.WindowPlan;

/// Prints a plan for people.
final class PlanPrinter {
  private final Console console;

  PlanPrinter(Console console) {
    this.console = console;
  }

  void print(Plan plan) {
    window(plan);
    map(plan);
    ledger(plan);
    conflicts(plan);
    plan.unseen()
        .forEach(u ->
            console.line(
                "  not to be seen: %s: %s; %s".formatted(u.what(), u.why(), u.consequence())));
    verdict(plan);
  }

  private void window(Plan plan) {
    console.heading("MSI window");
    if (plan.window().isEmpty()) {
      console.line("  none needed: no doorbell of these functions passes the translation tables");
      return;
    }
    WindowPlan w = plan.window().get();
    long granule = w.granule().bytes();
    console.line(
        "  %s-%s  %s"
            .formatted(
                Json.hex(w.range().start()),
                Json.hex(w.range().last()),
                console.faint(w.source().toString())));
    console.line("  there because: " + w.why());
    console.line(
        "  needs %d bytes: %d doorbell%s of one %s granule; head room for %d more"
            .formatted(
                w.needed(),
                w.doorbells().size(),
                w.doorbells().size() == 1 ? "" : "s",
                w.granule(),
                w.headroom() / granule));
    Table t = new Table("controller", "doorbell page", "source");
    w.doorbells().forEach(d -> t.row(d.controller().id(), d.page(), d.controller().source()));
    t.print(console);
  }

  private void map(Plan plan) {
    console.heading("Guest memory map");
    Table t = new Table("from", "to", "what", "source");
    plan.ram().forEach(r -> row(t, r, "RAM", "guest"));
    plan.window()
        .ifPresent(w -> row(t, w.range(), "MSI window: no RAM here", w.source().toString()));
    for (Thing r : plan.regions()) {
      r.range().ifPresent(range -> row(t, range, r.name() + ": keep clear", r.source().toString()));
    }
    if (t.isEmpty()) {
      console.line("  nothing to keep clear of");
    } else {
      t.print(console);
    }
    if (plan.ram().isEmpty()) {
      console.line(
          "  "
              + console.faint(
                  "give --ram 4G to have RAM laid out, or --ram START-END to have it checked"));
    }
  }

  private static void row(Table t, AddressRange range, String what, String source) {
    t.row(Json.hex(range.start()), Json.hex(range.last()), what, source);
  }

  private void ledger(Plan plan) {
    console.heading("Vectors");
    Table t = new Table("function", "advertised", "granted", "limit");
    for (LedgerLine l : plan.ledger()) {
      t.row(l.sbdf(), l.advertised(), l.granted(), l.limit());
    }
    t.print(console);
  }

  private void conflicts(Plan plan) {
    if (plan.conflicts().isEmpty()) {
      return;
    }
    console.heading("Conflicts");
    for (Conflict c : plan.conflicts()) {
      console.line("  %s %s".formatted(c.blocks() ? console.bad("no:") : "caution:", c.message()));
      console.line("    one: %s  %s".formatted(c.a(), console.faint(c.a().source().toString())));
      console.line("    other: %s  %s".formatted(c.b(), console.faint(c.b().source().toString())));
      console.line("    advice: " + c.advice());
    }
  }

  /// What stands against a plan, on standard error.
  void complain(Plan plan) {
    console.err().println("doorbell: " + plan.verdict());
    for (Conflict c : plan.conflicts()) {
      console.err().println("  %s %s".formatted(c.blocks() ? "no:" : "caution:", c.message()));
      console.err().println("    one: %s  %s".formatted(c.a(), c.a().source()));
      console.err().println("    other: %s  %s".formatted(c.b(), c.b().source()));
      console.err().println("    advice: " + c.advice());
    }
  }

  private void verdict(Plan plan) {
    console.heading("Verdict");
    String text = plan.verdict().toString();
    console.line(
        "  " + (plan.verdict().answer() == Answer.NO ? console.bad(text) : console.good(text)));
  }
}
