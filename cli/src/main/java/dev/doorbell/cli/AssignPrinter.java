package dev.doorbell.cli;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.description.MsiControllerDescription.LocalApic;
import dev.doorbell.explain.Refusal;
import dev.doorbell.host.Assignment;
import dev.doorbell.irq.LiveVector;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.plan.Plan;
import dev.doorbell.plan.WindowPlan;
import java.util.List;
import java.util.Optional;

/// Tells an assignment step by step.
final class AssignPrinter {
  private final Console console;

  AssignPrinter(Console console) {
    this.console = console;
  }

  void intent(ChosenMachine chosen, List<Sbdf> functions, Plan plan) {
    String names = String.join(", ", functions.stream().map(Sbdf::toString).toList());
    console.line("assign %s to a guest on %s".formatted(names, chosen.place()));
    console.heading("1. The machine");
    console.line(
        "  %d IOMMU%s, %d MSI controller%s, %d PCI functions"
            .formatted(
                chosen.machine().iommus().size(),
                plural(chosen.machine().iommus().size()),
                chosen.machine().msiControllers().size(),
                plural(chosen.machine().msiControllers().size()),
                chosen.machine().functions().size()));
    console.heading("2. The MSI window");
    if (plan.window().isEmpty()) {
      console.line("  none needed");
    } else {
      WindowPlan w = plan.window().get();
      console.line(
          "  %s-%s: needs %d bytes for %d doorbell%s, head room for %d more"
              .formatted(
                  Json.hex(w.range().start()),
                  Json.hex(w.range().last()),
                  w.needed(),
                  w.doorbells().size(),
                  plural(w.doorbells().size()),
                  w.headroom() / w.granule().bytes()));
      console.line("  there because: " + w.why());
    }
    plan.conflicts()
        .forEach(c ->
            console.line(
                "  %s %s".formatted(c.blocks() ? console.bad("no:") : "caution:", c.message())));
    console.heading("3. Attach, enable, fire");
  }

  /// What leads to the same again.
  ///
  /// @param machine the arguments that lead to the same machine
  /// @param named whether the machine was named, and is not the bundled sample
  /// @param drivers the arguments by which drivers are started the same again
  /// @param asked what was asked of the assignment
  record Again(
      String machine,
      boolean named,
      String drivers,
      PlanOptions asked,
      Optional<AddressRange> window) {}

  void done(List<Assignment.Fired> fired, Granule granule, Again again) {
    boolean x86 =
        fired.stream().anyMatch(f -> LocalApic.WINDOW.contains(f.vector().doorbell().value()));
    Table t =
        new Table(
            "function",
            "vector",
            "programmed",
            "data",
            x86 ? "IRTE" : "IOVA page",
            "doorbell",
            "INTID",
            "CPU",
            "arrived");
    for (Assignment.Fired f : fired) {
      LiveVector v = f.vector();
      t.row(
          f.function(),
          v.index(),
          Json.hex(v.message().address()),
          Json.hex(v.message().data()),
          x86
              ? v.entry().stream().mapToObj(Integer::toString).findFirst().orElse("none")
              : Json.hex(granule.alignDown(v.message().address())),
          Json.hex(v.doorbell().value()),
          v.intid(),
          v.cpu(),
          f.delivered() ? "yes" : "no: " + f.firing() + " " + f.arrivals());
    }
    t.print(console);
    long arrived = fired.stream().filter(Assignment.Fired::delivered).count();
    String sum =
        "%d of %d vectors arrived, each at its own interrupt and CPU"
            .formatted(arrived, fired.size());
    console.blank();
    console.line("  " + (arrived == fired.size() ? console.good(sum) : console.bad(sum)));
    console.line(
        "  everything is undone: vectors released, functions detached"
            + (again.window().isPresent() ? ", window unmapped" : ""));
    List<Sbdf> functions = fired.stream().map(Assignment.Fired::function).distinct().toList();
    if (!functions.isEmpty()) {
      next(functions, again);
    }
  }

  void refused(Refusal r) {
    console.line("  " + console.bad("refused: " + r.type()));
    console.line("  " + r.message());
    if (r.needed().isPresent() || r.available().isPresent()) {
      console.line(
          "  needed %s, available %s"
              .formatted(
                  r.needed().map(Object::toString).orElse("-"),
                  r.available().map(Object::toString).orElse("-")));
    }
    console.line("  between: " + String.join(" and ", r.objects()));
    console.line("  source: " + r.source());
    console.line("  advice: " + r.advice());
    console.line("  the machine is as it was before");
  }

  /// Each line finds what was found here: the same machine, functions in the same order, window, granule and vectors.
  private void next(List<Sbdf> functions, Again again) {
    console.heading("Try next");
    PlanOptions asked = again.asked();
    String most = asked.max().isPresent() ? " --max " + asked.max().getAsInt() : "";
    String unsafe = asked.unsafeInterrupts() ? " --unsafe-interrupts" : "";
    String how = again.machine() + unsafe;
    // These two take the bundled sample by themselves.
    String sampled = (again.named() ? again.machine() : "") + unsafe;
    String all = String.join(" ", functions.stream().map(Sbdf::toString).toList());
    String together = functions.size() == 1 ? "" : " --devices " + all.replace(' ', ',');
    String placed = asked.placed(again.window());
    tip(
        "trace %s%s%s%s%s%s --vector 0"
            .formatted(functions.getFirst(), together, sampled, again.drivers(), placed, most),
        "the same path hop by hop, with the reason for each");
    tip(
        "plan %s%s%s%s --ram %s".formatted(all, how, placed, most, asked.ramOr("4G")),
        "a guest memory map around the window");
    if (again.window().isPresent()) {
      // Half of the smallest granule there is: every IOMMU refuses that, whichever granules it has.
      tip(
          "assign %s%s%s%s --window 0x8000000-0x80007ff"
              .formatted(all, sampled, again.drivers(), most),
          "how too small a window is refused");
    }
    tip(
        "inspect" + (again.named() ? again.machine() : ""),
        again.named() ? "the whole machine" : "the machine under your hands");
  }

  private void tip(String command, String what) {
    console.line("  %s %s".formatted(MachineOptions.program(), command));
    console.line("      " + console.faint(what));
  }

  private static String plural(int n) {
    return n == 1 ? "" : "s";
  }
}
