package dev.doorbell.cli;

import java.io.PrintWriter;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/// The command `doorbell`.
@Command(
    name = "doorbell",
    mixinStandardHelpOptions = true,
    version = "doorbell 0.1.0",
    description = "Message-signalled interrupts through an IOMMU, with the reason for every hop.",
    exitCodeOnInvalidInput = 2,
    exitCodeOnExecutionException = 3)
public final class Main implements Runnable {
  @Spec private CommandSpec spec;

  Main(CommandSpec spec) {
    this.spec = spec;
  }

  /// Runs one command and ends the process with its status.
  public static void main(String[] args) {
    PrintWriter out = new PrintWriter(System.out, false, System.out.charset());
    PrintWriter err = new PrintWriter(System.err, true, System.err.charset());
    int status = run(out, err, args);
    out.flush();
    err.flush();
    System.exit(status);
  }

  /// {@return the exit status of one command, which prints to these writers and nowhere else}
  static int run(PrintWriter out, PrintWriter err, String... args) {
    return new CommandLine(new Main(CommandSpec.create())).setOut(out).setErr(err).execute(args);
  }

  /// Without a command: says what there is.
  @Override
  public void run() {
    spec.commandLine().usage(spec.commandLine().getOut());
  }
}
