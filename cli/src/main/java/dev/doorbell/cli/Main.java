package dev.doorbell.cli;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.function.IntSupplier;

/// Where the process starts.
public final class Main {
  private Main() {}

  public static void main(String[] args) {
    int end = process(new FileOutputStream(FileDescriptor.out), System.err, args);
    // An exit looks for loggers first, which takes as long as a small command: where nothing else
    // runs, the end of this thread is the end of the process.
    if (end != ExitStatus.YES.code() || Thread.activeCount() > 1) {
      System.exit(end);
    }
  }

  /// {@return the exit status of a process that runs one command line and has these outputs}
  static int process(OutputStream standardOutput, OutputStream standardError, String... args) {
    Sink sink = new Sink(standardOutput);
    PrintWriter out =
        new PrintWriter(new BufferedOutputStream(sink), false, StandardCharsets.UTF_8);
    PrintWriter err = new PrintWriter(standardError, true, StandardCharsets.UTF_8);
    Surroundings surroundings = Surroundings.with(Ending.ofProcess());
    return ended(
        surroundings.ending(),
        () -> {
          int status = run(out, err, Console.onTerminal(), surroundings, args);
          out.flush();
          err.flush();
          return sink.failed() ? unwritten(err, sink) : status;
        });
  }

  /// {@return the exit status of a command, of whose end the process is told whatever leaves it: the exit waits for that}
  static int ended(Ending ending, IntSupplier command) {
    int status = ExitStatus.INTERNAL.code();
    try {
      status = command.getAsInt();
      return status;
    } finally {
      ending.done(status);
    }
  }

  /// A script that gets half a document must not take the status of a whole one for it.
  private static int unwritten(PrintWriter err, Sink sink) {
    err.println("doorbell: standard output could not be written: " + sink.why());
    err.println("  advice: see whether the disk is full, or whoever reads it has ended early");
    err.flush();
    return ExitStatus.INTERNAL.code();
  }

  /// {@return the exit status of one command line}
  ///
  /// @param colour whether the printed form may be coloured
  static int run(PrintWriter out, PrintWriter err, boolean colour, String... args) {
    return run(out, err, colour, Surroundings.with(Ending.byHand()), args);
  }

  static int run(
      PrintWriter out, PrintWriter err, boolean colour, Surroundings surroundings, String... args) {
    return new DoorbellCommand(out, err, colour, surroundings).execute(args);
  }
}
