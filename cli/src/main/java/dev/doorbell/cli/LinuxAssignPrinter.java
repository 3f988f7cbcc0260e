package dev.doorbell.cli;

import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.explain.Refusal;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.linux.KernelInterrupt;
import dev.doorbell.linux.LinuxAssignment;
import dev.doorbell.linux.LinuxAssignment.Assigned;
import dev.doorbell.linux.ProgrammedVector;
import dev.doorbell.pci.Sbdf;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/// Tells an assignment on this host step by step, and its interrupts as they come: on a terminal as a table that is drawn anew, else a line for
/// each vector that moved.
final class LinuxAssignPrinter {
  private final Console console;
  private int drawn;

  LinuxAssignPrinter(Console console) {
    this.console = console;
  }

  void intent(ChosenMachine chosen, LinuxAssign.Intent intent) {
    String names = String.join(", ", intent.functions().stream().map(Sbdf::toString).toList());
    console.line("assign %s to this process, by the kernel of this host".formatted(names));
    console.heading("1. What will be");
    console.line(
        "  IOMMUs: %s; MSI controllers: %s; PCI functions: %d"
            .formatted(
                some(chosen.machine().iommus().stream().map(IommuDescription::id).toList()),
                some(
                    chosen.machine().msiControllers().stream()
                        .map(MsiControllerDescription::id)
                        .toList()),
                chosen.machine().functions().size()));
    for (Sbdf f : intent.functions()) {
      Optional<ReservedRegion> r = intent.regions().getOrDefault(f, Optional.empty());
      console.line(
          "  %s: messages go to %s"
              .formatted(
                  f,
                  r.map(x -> "%s (%s), %s".formatted(x.range(), x.kind().printed(), x.source()))
                      .orElse(
                          intent.hasIommu()
                              ? "where the kernel shows once a driver is bound: it has no group yet"
                              : "memory as they are, and so would its DMA: this kernel drives no IOMMU, sys/class/iommu")));
      console.line("  %s: predicted %s".formatted(f, intent.prediction(f).text()));
    }
    intent
        .plan()
        .conflicts()
        .forEach(c ->
            console.line(
                "  %s %s".formatted(c.blocks() ? console.bad("no:") : "caution:", c.message())));
    console.heading("2. Bind, open, map, enable");
    console.out().flush();
  }

  private static String some(List<String> names) {
    return names.isEmpty() ? "none that firmware shows to this user" : String.join(", ", names);
  }

  void assigned(LinuxAssignment a, List<LinuxVectorState> vectors) {
    for (Assigned f : a.functions()) {
      console.line(
          "  %s: %s; group %d; %d %s vector%s"
              .formatted(
                  f.device().function(),
                  f.before()
                      .map(d ->
                          d.equals("vfio-pci")
                              ? "bound to vfio-pci before"
                              : "taken from " + d + ", bound to vfio-pci")
                      .orElse("bound to vfio-pci"),
                  f.group().id(),
                  f.vectors().size(),
                  f.type(),
                  f.vectors().size() == 1 ? "" : "s"));
    }
    console.line(
        "  opened by %s; memory of this process mapped at IOVA %s, and nothing else"
            .formatted(
                switch (a.access()) {
                  case CONTAINER -> "a VFIO container";
                  case IOMMUFD -> "iommufd";
                },
                a.work()));
    Table t =
        new Table("function", "vector", "programmed", "data", "as predicted", "IRQ", "chip", "CPU");
    for (LinuxVectorState v : vectors) {
      ProgrammedVector p = v.programmed();
      KernelInterrupt i = v.interrupt();
      t.row(
          v.function(),
          v.vector(),
          p == null ? "cannot see" : Json.hex(p.address()),
          p == null ? "-" : Json.hex(Integer.toUnsignedLong(p.data())),
          v.asPredicted(),
          i == null ? "-" : i.irq(),
          i == null ? "cannot see" : i.chip(),
          i == null || i.cpus().isEmpty() ? "-" : i.cpus());
    }
    t.print(console);
    vectors.stream()
        .map(LinuxVectorState::unseen)
        .filter(u -> !u.isEmpty())
        .distinct()
        .forEach(u -> console.line("  cannot see: " + u));
    console.heading("3. Interrupts (Ctrl-C ends)");
    console.out().flush();
  }

  /// @param seconds since the watch began
  void tick(int seconds, List<LinuxVectorState> vectors) {
    if (console.ansi().enabled()) {
      table(vectors);
    } else {
      for (LinuxVectorState v : vectors) {
        long fresh = v.takeFresh();
        if (fresh > 0) {
          console.line(
              "  +%d s  %s vector %d: %d more, %d in all"
                  .formatted(seconds, v.function(), v.vector(), fresh, v.count()));
        }
      }
    }
    console.out().flush();
  }

  private void table(List<LinuxVectorState> vectors) {
    if (drawn > 0) {
      console.out().print("\u001b[%dA\u001b[J".formatted(drawn));
    }
    Table t = new Table("function", "vector", "IRQ", "a second", "in all", "kernel's count");
    for (LinuxVectorState v : vectors) {
      KernelInterrupt i = v.interrupt();
      t.row(
          v.function(),
          v.vector(),
          i == null ? "-" : i.irq(),
          v.takeFresh(),
          v.count(),
          told(v.kernelCount()));
    }
    t.print(console);
    drawn = vectors.size() + 1;
  }

  private static String told(OptionalLong count) {
    return count.isPresent() ? Long.toString(count.getAsLong()) : "-";
  }

  /// @param wanted how many interrupts were waited for
  void end(LinuxAssign.Outcome o, OptionalLong wanted) {
    if (o.refusal().isPresent()) {
      refused(o.refusal().get());
    } else {
      long sum = LinuxAssign.sum(o.vectors());
      long moved = o.vectors().stream().filter(v -> v.count() > 0).count();
      long kernels = o.vectors().stream().mapToLong(v -> v.kernelCount().orElse(0)).sum();
      String text =
          "%d interrupts on %d of %d vectors; the kernel counted %d"
              .formatted(sum, moved, o.vectors().size(), kernels);
      boolean enough = wanted.isEmpty() || sum >= wanted.getAsLong();
      console.blank();
      console.line("  " + (enough ? console.good(text) : console.bad(text)));
      if (!enough) {
        console.line("  fewer than the %d that were waited for".formatted(wanted.getAsLong()));
      }
    }
    if (o.left().isEmpty()) {
      console.line(
          "  everything is as before: drivers, driver_override, and no file of the kernel is held");
    } else {
      o.left().forEach(l -> console.line("  " + console.bad("not as before: " + l)));
    }
  }

  private void refused(Refusal r) {
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
  }
}
