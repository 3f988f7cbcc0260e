package dev.doorbell.cli;

import dev.doorbell.doctor.Diagnosis;
import dev.doorbell.doctor.Doctor;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.FirmwareException;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.plan.Plan.Answer;
import dev.doorbell.survey.Survey;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `doorbell doctor`.
@Command(
    name = "doctor",
    mixinStandardHelpOptions = true,
    description =
        "Examine this host, or a capture of one: is passthrough with MSI possible, for which functions, is it safe, what blocks it, and what to do about it. Root is not needed; what only root can see is said.",
    footer = {
      "",
      "Exit status: 0 yes (or nothing stands against it in what is to be seen), 1 no.",
      "",
      "Examples:",
      "  doorbell doctor",
      "  doorbell doctor 0000:04:00.0",
      "  doorbell doctor --root samples/arm64-gicv2m-acpi --json"
    })
final class DoctorCommand implements Callable<Integer> {
  private final Console console;

  @Option(
      names = "--root",
      paramLabel = "DIR",
      defaultValue = "/",
      description =
          "A sysroot: a folder laid out as a Linux root (a capture), an lspci -xxxx or acpidump text, or a folder of ACPI tables. Default: ${DEFAULT-VALUE}, this machine.")
  private Path root = Path.of("/");

  @Option(names = "--json", description = "Print one JSON document.")
  private boolean json;

  @Parameters(
      paramLabel = "SBDF",
      arity = "0..*",
      description = "Functions that are to be assigned together. Default: each endpoint by itself.")
  private List<String> functions = new ArrayList<>();

  DoctorCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() {
    Sysroot sysroot = open(root);
    Survey survey = Survey.of(Firmware.read(sysroot));
    List<Sbdf> asked = Functions.parse(survey, functions);
    Diagnosis diagnosis = Doctor.examine(sysroot, survey, asked);
    if (!diagnosis.sawAnything()) {
      throw new UnusableInput(
          "NothingToSee",
          root + " holds nothing that tells of a machine",
          "give --root a folder laid out as a Linux root, such as doorbell capture writes");
    }
    if (json) {
      console.line(Json.write(DoctorView.of(diagnosis)));
    } else {
      new DoctorPrinter(console).print(diagnosis);
    }
    return diagnosis.verdict().answer() == Answer.NO ? ExitStatus.NO.code() : ExitStatus.YES.code();
  }

  static Sysroot open(Path root) {
    try {
      return Sysroot.open(root);
    } catch (FirmwareException e) {
      throw new UnusableInput(
          "UnusableSysroot",
          String.valueOf(e.getMessage()),
          "give --root a folder laid out as a Linux root");
    }
  }
}
