package dev.doorbell.cli;

import dev.doorbell.pci.Sbdf;
import dev.doorbell.plan.Plan;
import dev.doorbell.plan.Planner;
import dev.doorbell.plan.Subject;
import dev.doorbell.plan.Subjects;
import dev.doorbell.plan.emit.Form;
import dev.doorbell.survey.Survey;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `doorbell plan`.
@Command(
    name = "plan",
    mixinStandardHelpOptions = true,
    description =
        "Work out whether functions can be assigned to one guest: the MSI window and its place, a legal guest memory map, vectors, and every conflict with both its objects.",
    footer = {
      "",
      "Examples:",
      "  doorbell plan --devices 0000:04:00.0 --ram 4G",
      "  doorbell plan 0000:04:00.0 --ram 0x0-0xfffffff",
      "  doorbell plan 0000:04:00.0 --ram 4G --emit libvirt > guest.xml",
      "  doorbell plan --root samples/two-its --devices 0000:01:00.0,0001:01:00.0 --granule 64K"
    })
final class PlanCommand implements Callable<Integer> {
  private final Console console;

  @Mixin private MachineOptions machine = new MachineOptions();
  @Mixin private PlanOptions options = new PlanOptions();

  @Option(names = "--json", description = "Print one JSON document.")
  private boolean json;

  @Option(
      names = "--emit",
      paramLabel = "qemu|libvirt|iort-rmr|dts",
      description =
          "Print nothing but the guest memory map and the reserved MSI window, ready to paste into a QEMU command line, a libvirt domain, an ACPI IORT (iasl -G) or a device tree source.")
  private @Nullable Form emit;

  PlanCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() {
    options.check();
    try (ChosenMachine chosen = machine.orHost()) {
      return call(chosen);
    }
  }

  private int call(ChosenMachine chosen) {
    Survey survey = Survey.of(chosen.machine());
    List<Sbdf> functions = Functions.parse(survey, options.functions());
    if (functions.isEmpty()) {
      functions = List.of(Functions.firstWithMsix(survey));
    }
    Plan plan = plan(survey, functions, options);
    if (emit != null || json) {
      chosen.tellBeside(console);
    }
    if (emit != null) {
      return emitted(plan, emit);
    }
    if (json) {
      console.line(Json.write(PlanView.of(plan)));
    } else {
      chosen.note().ifPresent(console::line);
      console.line(
          "plan for %s on %s"
              .formatted(
                  String.join(", ", functions.stream().map(Sbdf::toString).toList()),
                  chosen.place()));
      new PlanPrinter(console).print(plan);
    }
    return status(plan);
  }

  private int emitted(Plan plan, Form form) {
    Optional<String> text =
        plan.verdict().answer() == Plan.Answer.NO ? Optional.empty() : Optional.of(form.emit(plan));
    if (json) {
      console.line(Json.write(new PlanView.Emitted(PlanView.of(plan), text.orElse(null))));
    } else if (text.isPresent()) {
      console.out().print(text.get());
    } else {
      new PlanPrinter(console).complain(plan);
    }
    return status(plan);
  }

  private static int status(Plan plan) {
    return plan.verdict().answer() == Plan.Answer.NO ? ExitStatus.NO.code() : ExitStatus.YES.code();
  }

  static Plan plan(Survey survey, List<Sbdf> functions, PlanOptions options) {
    Damage.requireTables(survey, functions);
    Subjects subjects = new Subjects(survey);
    List<Subject> chosen = functions.stream().flatMap(f -> subjects.of(f).stream()).toList();
    Plan plan = new Planner(survey.machine()).plan(chosen, options.request());
    return Damage.check(survey.machine(), plan);
  }
}
