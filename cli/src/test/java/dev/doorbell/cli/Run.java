package dev.doorbell.cli;

import dev.doorbell.testkit.ProjectRoot;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Arrays;

/// One command line run in this process, without colour.
///
/// @param out standard output, with `\n` line ends and the project's folder written as `.`
/// @param err standard error, likewise
record Run(int status, String out, String err) {
  static final String ITS = sample("arm64-its-acpi-switch-sriov");
  static final String V2M = sample("arm64-gicv2m-acpi");
  static final String TWO_ITS = sample("two-its");

  static String sample(String name) {
    return ProjectRoot.path().resolve("samples").resolve(name).toString();
  }

  static Run of(String... args) {
    return of(Surroundings.with(Ending.byHand()), args);
  }

  static Run of(Surroundings surroundings, String... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    PrintWriter toOut = new PrintWriter(out);
    PrintWriter toErr = new PrintWriter(err);
    int status = Main.run(toOut, toErr, false, surroundings, args);
    toOut.flush();
    toErr.flush();
    return new Run(status, told(out), told(err));
  }

  /// {@return the run of a command on a sample}
  static Run on(String sample, String command, String... more) {
    String[] args = Arrays.copyOf(new String[] {command, "--root", sample}, 3 + more.length);
    System.arraycopy(more, 0, args, 3, more.length);
    return of(args);
  }

  private static String told(StringWriter text) {
    return text.toString()
        .replace(System.lineSeparator(), "\n")
        .replace(ProjectRoot.path().toString(), ".");
  }
}
