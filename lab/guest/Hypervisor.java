import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/// The QEMU outside, through the relay beside it: files in a shared folder are requests and answers.
final class Hypervisor {
  private static final Path FOLDER = Path.of("/lab/qmp");
  private static final int WAIT_MILLIS = 60_000;
  private static final int PAUSE_MILLIS = 50;
  private static int count;

  private Hypervisor() {}

  /// {@return QEMU's answer to a line of QMP}
  static String ask(String line) throws IOException, InterruptedException {
    String name = ProcessHandle.current().pid() + "-" + count++;
    Path draft = FOLDER.resolve(name + ".wanted");
    Files.writeString(draft, line);
    Files.move(draft, FOLDER.resolve(name + ".request"), StandardCopyOption.ATOMIC_MOVE);
    Path answer = FOLDER.resolve(name + ".answer");
    for (int waited = 0; waited < WAIT_MILLIS; waited += PAUSE_MILLIS) {
      if (Files.exists(answer)) {
        return Files.readString(answer).strip();
      }
      Thread.sleep(PAUSE_MILLIS);
    }
    throw new IOException("QEMU did not answer to " + line);
  }
}
