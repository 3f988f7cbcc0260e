package dev.doorbell.cli;

import dev.doorbell.cli.InspectView.FunctionView;
import dev.doorbell.cli.InspectView.GroupView;
import dev.doorbell.cli.InspectView.RegionView;
import dev.doorbell.survey.Survey;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Prints a machine for people.
final class InspectPrinter {
  /// Oddities that a person still reads; a file that is no dump has one in each line.
  private static final int MOST_ODDITIES = 100;

  private final Console console;

  InspectPrinter(Console console) {
    this.console = console;
  }

  void print(ChosenMachine chosen, Survey survey, InspectView view) {
    chosen.note().ifPresent(console::line);
    console.line(
        "%s machine, described by %s (%s)"
            .formatted(view.machine().arch(), view.machine().firmware(), chosen.place()));
    iommus(view);
    structures(view);
    controllers(view);
    ioApics(view);
    hpets(view);
    aplics(view);
    functions(view);
    groups(survey, view);
    differences(view);
    oddities(view);
  }

  private void iommus(InspectView view) {
    console.heading("IOMMUs");
    Table t = new Table("id", "kind", "base", "input bits", "granules", "source");
    view.iommus()
        .forEach(i ->
            t.row(
                i.id(),
                i.kind(),
                or(i.base(), "-"),
                or(i.inputBits(), "unseen"),
                or(i.granules(), "unseen"),
                i.source()));
    orNone(t);
  }

  private void structures(InspectView view) {
    if (view.structures().isEmpty()) {
      return;
    }
    console.heading("Firmware's table of IOMMUs");
    Table t = new Table("structure", "source", "tells");
    view.structures().forEach(s -> t.row(s.name(), s.source(), s.tells()));
    t.print(console);
  }

  private void controllers(InspectView view) {
    console.heading("MSI controllers");
    Table t =
        new Table(
            "id", "kind", "doorbell", "frame", "vectors", "behind IOMMU", "isolated", "source");
    view.msiControllers()
        .forEach(c ->
            t.row(
                c.id(),
                c.kind(),
                or(c.doorbell(), "unseen"),
                c.frame() == null ? "-" : c.frame().start() + "-" + c.frame().end(),
                or(c.vectors(), "by its registers"),
                yes(c.behindIommu()),
                yes(c.isolated()),
                c.source()));
    orNone(t);
  }

  private void ioApics(InspectView view) {
    if (view.ioApics().isEmpty()) {
      return;
    }
    console.heading("I/O APICs");
    Table t = new Table("id", "base", "first GSI", "remapped by", "source id", "source");
    view.ioApics()
        .forEach(a ->
            t.row(
                a.id(),
                or(a.base(), "-"),
                a.gsiBase(),
                or(a.iommu(), "-"),
                a.sourceId() == null ? "-" : Json.hex(a.sourceId()),
                a.source()));
    t.print(console);
    overrides(view);
  }

  private void overrides(InspectView view) {
    Table t = new Table("IRQ", "I/O APIC", "pin", "active", "trigger", "source");
    int rows = 0;
    for (InspectView.IoApicView a : view.ioApics()) {
      for (InspectView.OverrideView o : a.overrides()) {
        t.row(o.irq(), a.id(), o.pin(), o.polarity(), o.trigger(), o.source());
        rows++;
      }
    }
    if (rows > 0) {
      console.heading("Interrupt source overrides");
      t.print(console);
    }
  }

  private void aplics(InspectView view) {
    if (view.aplics().isEmpty()) {
      return;
    }
    console.heading("APLICs");
    Table t = new Table("id", "base", "sources", "messages go to", "source");
    view.aplics().forEach(a -> t.row(a.id(), a.base(), a.sources(), a.msiController(), a.source()));
    t.print(console);
  }

  private void hpets(InspectView view) {
    if (view.hpets().isEmpty()) {
      return;
    }
    console.heading("HPETs");
    Table t = new Table("id", "base", "timers", "remapped by", "source id", "source");
    view.hpets()
        .forEach(h ->
            t.row(
                h.id(),
                or(h.base(), "-"),
                or(h.timers(), "-"),
                or(h.iommu(), "-"),
                h.sourceId() == null ? "-" : Json.hex(h.sourceId()),
                h.source()));
    t.print(console);
  }

  private void functions(InspectView view) {
    console.heading("Functions");
    Table t =
        new Table(
            "function",
            "id",
            "class",
            "requester",
            "StreamID",
            "DeviceID",
            "group",
            "MSI",
            "MSI-X",
            "driver");
    for (FunctionView f : view.functions()) {
      t.row(
          f.sbdf(),
          f.vendor() == null ? "unseen" : "%04x:%04x".formatted(f.vendor(), f.device()),
          f.classCode() == null ? "unseen" : "%06x".formatted(f.classCode()),
          Json.hex(f.requesterId()),
          id(f.streamId(), f.unseen().contains(FunctionView.STREAM_ID)),
          id(f.msiDeviceId(), f.unseen().contains(FunctionView.MSI_DEVICE_ID)),
          or(f.group(), "-"),
          f.msi() == null ? "-" : f.msi().vectors() + (f.msi().address64() ? "" : " (32-bit)"),
          f.msix() == null ? "-" : f.msix().vectors(),
          or(f.driver(), "-"));
    }
    orNone(t);
  }

  private void groups(Survey survey, InspectView view) {
    console.heading("Groups");
    if (!view.groups().isEmpty()) {
      console.line("  " + console.faint(survey.assumption().sentence()));
    }
    for (GroupView g : view.groups()) {
      console.line(
          "  group %d: %s  %s"
              .formatted(
                  g.id(),
                  String.join(" ", g.functions()),
                  g.isolatedMsi()
                      ? console.good("isolated MSI")
                      : console.bad("MSI not isolated")));
      if (!g.isolation().state().equals("yes")) {
        console.line(
            "    %s: %s  %s"
                .formatted(
                    g.isolation().state().equals("no") ? "not isolated" : "isolation unseen",
                    g.isolation().because(),
                    console.faint(g.isolation().source())));
      }
      g.because().forEach(b -> console.line("    because " + b));
      for (RegionView r : g.reserved()) {
        console.line(
            "    reserved %s-%s %s  %s"
                .formatted(r.start(), r.end(), r.kind(), console.faint(r.source())));
      }
    }
    if (view.groups().isEmpty()) {
      console.line("  none: no function lies behind an IOMMU that the capture shows");
    }
  }

  private void differences(InspectView view) {
    if (view.recorded().groups().isEmpty()) {
      return;
    }
    console.heading("Beside what its kernel recorded");
    if (view.recorded().agrees()) {
      console.line(
          "  "
              + console.good(
                  "the same: %d group%s with reserved regions"
                      .formatted(
                          view.recorded().groups().size(),
                          view.recorded().groups().size() == 1 ? "" : "s")));
    }
    view.recorded().notes().forEach(n -> console.line("  " + n));
    view.recorded().differences().forEach(d -> console.line("  " + console.bad(d)));
  }

  private void oddities(InspectView view) {
    if (!view.oddities().isEmpty()) {
      console.heading("Oddities");
      view.oddities().stream()
          .limit(MOST_ODDITIES)
          .forEach(o -> console.line("  %s  %s".formatted(o.message(), console.faint(o.source()))));
      int more = view.oddities().size() - MOST_ODDITIES;
      if (more > 0) {
        console.line("  and %d more; --json lists them".formatted(more));
      }
    }
    if (!view.unseen().isEmpty()) {
      console.heading("Not to be seen here");
      view.unseen()
          .forEach(u -> console.line("  %s: %s; %s".formatted(u.what(), u.why(), u.consequence())));
    }
  }

  private void orNone(Table t) {
    if (t.isEmpty()) {
      console.line("  none that the capture shows");
    } else {
      t.print(console);
    }
  }

  private static String id(@Nullable Long id, boolean unseen) {
    return id != null ? Json.hex(id) : unseen ? "unseen" : "-";
  }

  private static String yes(boolean b) {
    return b ? "yes" : "no";
  }

  private static String or(@Nullable Object value, String otherwise) {
    if (value == null) {
      return otherwise;
    }
    return value instanceof java.util.List<?> list
        ? list.stream().map(String::valueOf).collect(Collectors.joining(" "))
        : value.toString();
  }
}
