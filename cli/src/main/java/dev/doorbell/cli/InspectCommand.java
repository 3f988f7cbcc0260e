package dev.doorbell.cli;

import dev.doorbell.pci.Sbdf;
import dev.doorbell.survey.Survey;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `doorbell inspect`.
@Command(
    name = "inspect",
    mixinStandardHelpOptions = true,
    description =
        "Show a machine: IOMMUs, MSI controllers, functions with requester id, StreamID and DeviceID, groups and why they are groups, reserved regions and isolation.",
    footer = {
      "",
      "Examples:",
      "  doorbell inspect --root samples/arm64-gicv2m-acpi",
      "  doorbell inspect 0000:04:00.0 --json"
    })
final class InspectCommand implements Callable<Integer> {
  private final Console console;

  @Mixin private MachineOptions machine = new MachineOptions();

  @Option(names = "--json", description = "Print one JSON document.")
  private boolean json;

  @Parameters(
      paramLabel = "SBDF",
      arity = "0..*",
      description = "Show only these functions and their groups.")
  private List<String> functions = new ArrayList<>();

  InspectCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() {
    try (ChosenMachine chosen = machine.orHost()) {
      return call(chosen);
    }
  }

  private int call(ChosenMachine chosen) {
    Survey survey = Survey.of(chosen.machine());
    List<Sbdf> only = Functions.parse(survey, functions);
    InspectView view = InspectView.of(survey, only);
    if (json) {
      chosen.tellBeside(console);
      console.line(Json.write(view));
    } else {
      new InspectPrinter(console).print(chosen, survey, view);
    }
    return ExitStatus.YES.code();
  }
}
