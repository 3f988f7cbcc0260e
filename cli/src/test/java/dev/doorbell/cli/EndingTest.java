package dev.doorbell.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("a process that takes signals ends, whatever leaves its command")
class EndingTest {
  private static final int PATIENCE_SECONDS = 120;

  @TempDir Path folder;

  /// A process whose command ends as its argument says.
  static final class Command {
    private Command() {}

    public static void main(String[] how) {
      Ending ending = Ending.ofProcess();
      int status =
          Main.ended(
              ending,
              () -> {
                ending.takeSignals();
                if (how[0].equals("error")) {
                  throw new StackOverflowError("of the test");
                }
                return 1;
              });
      System.exit(status);
    }
  }

  private int status(String how) throws IOException, InterruptedException {
    Process p =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Command.class.getName(),
                how)
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("printed").toFile())
            .start();
    try {
      assertTrue(p.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS), "it waits for ever");
      return p.exitValue();
    } finally {
      p.destroyForcibly();
    }
  }

  @Test
  @DisplayName("an Error: it is printed, and the exit status is that of an internal error")
  void error() throws Exception {
    assertEquals(ExitStatus.INTERNAL.code(), status("error"));
    String printed = Files.readString(folder.resolve("printed"));
    assertTrue(printed.contains("StackOverflowError: of the test"), printed);
  }

  @Test
  @DisplayName("no Error: the command's own exit status")
  void inOrder() throws Exception {
    assertEquals(1, status("returns"));
  }
}
