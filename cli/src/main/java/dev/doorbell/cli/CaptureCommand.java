package dev.doorbell.cli;

import dev.doorbell.capture.Capture;
import dev.doorbell.capture.CaptureException;
import dev.doorbell.capture.CaptureReport;
import dev.doorbell.firmware.Sysroot;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `doorbell capture`.
@Command(
    name = "capture",
    mixinStandardHelpOptions = true,
    description =
        "Write this host down as a folder that every command reads with --root: PCI functions, groups, firmware tables, interrupts, kernel configuration, command line and log. Root is not needed; what could not be read is listed.",
    footer = {
      "",
      "Examples:",
      "  doorbell capture myhost",
      "  doorbell capture /tmp/myhost --anonymise && doorbell doctor --root /tmp/myhost"
    })
final class CaptureCommand implements Callable<Integer> {
  private final Console console;

  @Parameters(
      paramLabel = "OUT",
      description = "Folder to be made. One that is there and not empty is refused.")
  private Path out = Path.of(".");

  @Option(
      names = "--root",
      paramLabel = "DIR",
      defaultValue = "/",
      description =
          "The host to be captured, or a capture to be copied. Default: ${DEFAULT-VALUE}, this machine.")
  private Path root = Path.of("/");

  @Option(
      names = {"--anonymise", "--anonymize"},
      description =
          "Blank serial numbers, MAC addresses, UUIDs, IP addresses and names of host and users, in texts and in binary files.")
  private boolean anonymise;

  @Option(names = "--json", description = "Print one JSON document.")
  private boolean json;

  CaptureCommand(Console console) {
    this.console = console;
  }

  /// The JSON document of `capture`.
  record CaptureView(
      String out,
      int files,
      long bytes,
      boolean anonymised,
      int removed,
      List<NotReadView> unread,
      List<String> leftOut) {}

  record NotReadView(String path, String why) {}

  @Override
  public Integer call() {
    Sysroot sysroot = DoctorCommand.open(root);
    CaptureReport report;
    try {
      report = write(Capture.of(sysroot, out));
    } catch (CaptureException e) {
      throw new UnusableInput(
          e.getClass().getSimpleName().replace("Exception", ""),
          String.valueOf(e.getMessage()),
          e.advice());
    }
    if (json) {
      console.line(Json.write(view(report)));
    } else {
      print(report);
    }
    return ExitStatus.YES.code();
  }

  /// Ctrl-C takes back what is written so far.
  private CaptureReport write(Capture capture) {
    Thread cleanup = Thread.ofPlatform().unstarted(capture::discard);
    Runtime.getRuntime().addShutdownHook(cleanup);
    try {
      return capture.write(anonymise);
    } finally {
      Runtime.getRuntime().removeShutdownHook(cleanup);
    }
  }

  private CaptureView view(CaptureReport r) {
    return new CaptureView(
        r.out().toString(),
        r.files(),
        r.bytes(),
        anonymise,
        r.removed(),
        r.unread().stream().map(u -> new NotReadView(u.path(), u.why())).toList(),
        r.leftOut());
  }

  private void print(CaptureReport r) {
    console.line(
        "captured %d files, %d KiB, into %s".formatted(r.files(), r.bytes() / 1024, r.out()));
    if (anonymise) {
      console.line(
          "blanked %d places that identify the host or its users; look it over before you publish it"
              .formatted(r.removed()));
    }
    if (!r.unread().isEmpty()) {
      console.heading("Could not be read");
      r.unread().forEach(u -> console.line("  %s: %s".formatted(u.path(), u.why())));
    }
    console.heading("Left out on purpose");
    r.leftOut().forEach(l -> console.line("  " + l));
  }
}
