package dev.doorbell.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// A program of the distribution that checks what Doorbell printed: `dtc`, `iasl`, `xmllint` and the like.
public final class OutsideTool {
  private final Path program;

  private OutsideTool(Path program) {
    this.program = program;
  }

  /// What a run gave back: its exit status, standard output and standard error.
  public record Result(int status, String out, String err) {}

  /// {@return the program of this name on the PATH}
  ///
  /// @throws org.opentest4j.TestAbortedException when there is none: the test is skipped with the reason
  public static OutsideTool require(String name) {
    for (String folder : System.getenv().getOrDefault("PATH", "").split(File.pathSeparator)) {
      Path candidate = Path.of(folder, name);
      if (Files.isExecutable(candidate)) {
        return new OutsideTool(candidate);
      }
    }
    return abort("skipped: the program " + name + " is not on the PATH");
  }

  /// Runs the program in this folder and waits for at most a minute.
  ///
  /// @throws IOException when it cannot be started
  /// @throws InterruptedException when the waiting thread is interrupted
  /// @throws AssertionError when it does not end within a minute
  public Result run(Path folder, String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(program.toString());
    command.addAll(List.of(arguments));
    Path out = Files.createTempFile("doorbell-out", ".txt");
    Path err = Files.createTempFile("doorbell-err", ".txt");
    try {
      Process process =
          new ProcessBuilder(command)
              .directory(folder.toFile())
              .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")))
              .redirectOutput(out.toFile())
              .redirectError(err.toFile())
              .start();
      if (!process.waitFor(1, TimeUnit.MINUTES)) {
        process.destroyForcibly().waitFor();
        throw new AssertionError(command + " did not end within a minute");
      }
      return new Result(
          process.exitValue(), Files.readString(out, UTF_8), Files.readString(err, UTF_8));
    } finally {
      Files.deleteIfExists(out);
      Files.deleteIfExists(err);
    }
  }
}
