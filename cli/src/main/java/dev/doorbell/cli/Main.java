package dev.doorbell.cli;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;

/// Where the process starts.
public final class Main {
  private Main() {}

  public static void main(String[] args) {
    PrintWriter out = new PrintWriter(System.out, false, StandardCharsets.UTF_8);
    PrintWriter err = new PrintWriter(System.err, true, StandardCharsets.UTF_8);
    int status = run(out, err, Console.onTerminal(), args);
    out.flush();
    err.flush();
    System.exit(status);
  }

  /// {@return the exit status of one command line}
  ///
  /// @param colour whether the printed form may be coloured
  static int run(PrintWriter out, PrintWriter err, boolean colour, String... args) {
    return new DoorbellCommand(out, err, colour).execute(args);
  }
}
