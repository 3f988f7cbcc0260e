import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/// `doorbell` in a process of its own.
record Command(Process process, Path out, Path err) {
  /// Instead of a pipe, which would stay open here.
  private static final File NOTHING = new File("/dev/null");

  static Command start(String name, String... arguments) throws IOException {
    List<String> line =
        new ArrayList<>(
            List.of("java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx128m", "-Xshare:auto", "--enable-native-access=ALL-UNNAMED", "dev.doorbell.cli.Main"));
    line.addAll(List.of(arguments));
    Path out = Path.of("/tmp", name + ".out");
    Path err = Path.of("/lab", name + ".err");
    Lab.say("doorbell " + String.join(" ", arguments));
    return new Command(new ProcessBuilder(line).redirectInput(NOTHING).redirectOutput(out.toFile()).redirectError(err.toFile()).start(), out, err);
  }

  void interrupt() throws Exception {
    signal("INT");
  }

  void signal(String name) throws Exception {
    new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).inheritIO().start().waitFor();
  }

  void kill() throws InterruptedException {
    var killed = process.destroyForcibly().waitFor();
  }

  /// Waits for words that it prints.
  boolean prints(String words) throws Exception {
    Waiting.until(() -> !process.isAlive() || printed().contains(words));
    return printed().contains(words);
  }

  int end() throws Exception {
    if (!process.waitFor(Waiting.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)) {
      process.destroyForcibly();
      Lab.check(false, "the command did not end");
    }
    Files.copy(out, Path.of("/lab").resolve(out.getFileName().toString()), StandardCopyOption.REPLACE_EXISTING);
    return process.waitFor();
  }

  /// Checks how a command ends that cannot do what is asked, and that it says so.
  static void refused(String name, int status, String words, String... arguments) throws Exception {
    Command c = start(name, arguments);
    int ended = c.end();
    String said = c.said();
    Lab.check(ended == status && said.contains(words), "%s: exit status %d, %s".formatted(name, ended, said.strip().replace("\n", " | ")));
  }

  /// {@return what it said of itself, on both streams}
  String said() throws IOException {
    return printed() + Files.readString(err).lines().filter(l -> !l.startsWith("WARNING")).collect(Collectors.joining("\n"));
  }

  String printed() throws IOException {
    return Files.exists(out) ? Files.readString(out) : "";
  }

  /// {@return how many signals the document says came on a vector}
  long count(int vector) throws IOException {
    String all = printed().replaceAll("\\s", "");
    int at = all.indexOf("\"vector\":%d,".formatted(vector));
    int count = at < 0 ? -1 : all.indexOf("\"count\":", at);
    return count < 0 ? -1 : Long.parseLong(all.substring(count + 8, all.indexOf(',', count)));
  }
}
