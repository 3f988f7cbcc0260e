package dev.doorbell.cli;

import dev.doorbell.pci.Sbdf;
import dev.doorbell.survey.Survey;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
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

  /// {@return the command that plain arguments ask for; empty where they hold anything else, which picocli is to read} To read annotations
  /// takes picocli longer than to show a small machine takes.
  static Optional<InspectCommand> plain(Console console, String... args) {
    if (args.length == 0 || !args[0].equals("inspect")) {
      return Optional.empty();
    }
    InspectCommand out = new InspectCommand(console);
    boolean rooted = false;
    for (int i = 1; i < args.length; i++) {
      if (args[i].equals("--json") && !out.json) {
        out.json = true;
      } else if (args[i].equals("--root")
          && !rooted
          && i + 1 < args.length
          && isWord(args[i + 1])) {
        rooted = true;
        i++;
        out.machine.lookAt(Path.of(args[i]));
      } else if (isWord(args[i])) {
        out.functions.add(args[i]);
      } else {
        return Optional.empty();
      }
    }
    return Optional.of(out);
  }

  /// {@return whether an argument is a value to everybody: no option, and none of the characters that mean more to somebody}
  private static boolean isWord(String argument) {
    for (int i = 0; i < argument.length(); i++) {
      char c = argument.charAt(i);
      boolean plain = c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z';
      if (!plain && (i == 0 ? "/._" : "/._-:+").indexOf(c) < 0) {
        return false;
      }
    }
    return !argument.isEmpty();
  }

  /// {@return what is asked for}
  String asked() {
    return machine.again() + (json ? " --json " : " ") + functions;
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
