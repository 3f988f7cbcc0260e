package dev.doorbell.qemu;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// QEMU's process, inside a shell that ends QEMU when this process is gone.
///
/// QEMU itself lives on when its sockets close. So the shell holds the reading end of a pipe, of which this process has the only writing
/// end: whichever way this process ends, SIGKILL included, the pipe closes, the shell's watch kills QEMU, and the shell removes the folder.
/// When the shell itself is killed its watch remains and does the same. The program gets a session of its own where the system has `setsid`,
/// so that a program which starts QEMU as its child ends with it, and a key that interrupts this process does not reach QEMU before we end it.
/// So does the watch: a signal to the process group of this process, which ends the shell with it, must leave somebody to end QEMU.
final class Wrapper {
  private static final String SCRIPT =
      """
      folder=$1; shift
      exec 3<&0 </dev/null
      apart=$(command -v setsid)
      ${apart:+"$apart"} "$@" 3<&- &
      qemu=$!
      ${apart:+"$apart"} /bin/sh -c '
        while read -r line; do :; done
        kill -KILL $1
        kill -s KILL -- -$1
        rm -rf -- "$2"
      ' qemu-watch $qemu "$folder" <&3 3<&- >/dev/null 2>&1 &
      watch=$!
      exec 3<&-
      wait $qemu
      status=$?
      kill $watch 2>/dev/null
      kill -s KILL -- -$qemu 2>/dev/null
      rm -rf -- "$folder"
      exit $status
      """;
  private static final int TAIL = 4096;
  private static final long END_SECONDS = 5;

  private final Process shell;
  private final Thread reader;
  private final StringBuilder tail = new StringBuilder();

  /// @throws IOException when no process can be started
  Wrapper(List<String> command, Path folder) throws IOException {
    List<String> line =
        new ArrayList<>(List.of("/bin/sh", "-c", SCRIPT, "qemu", folder.toString()));
    line.addAll(command);
    shell = new ProcessBuilder(line).redirectErrorStream(true).start();
    reader = Thread.ofPlatform().daemon().name("qemu-output").start(this::read);
  }

  private void read() {
    byte[] buffer = new byte[8192];
    try (InputStream in = shell.getInputStream()) {
      for (int got = in.read(buffer); got >= 0; got = in.read(buffer)) {
        String text = new String(buffer, 0, got, StandardCharsets.UTF_8);
        synchronized (tail) {
          tail.append(text);
          tail.delete(0, Math.max(0, tail.length() - TAIL));
        }
      }
    } catch (IOException e) {
      // The process is gone, and with it what it had to say.
      return;
    }
  }

  Process shell() {
    return shell;
  }

  /// {@return the end of what QEMU printed, in one line}
  String said() {
    synchronized (tail) {
      return tail.toString().strip().replaceAll("\\s*\\R\\s*", "; ");
    }
  }

  /// Ends QEMU, and waits until it has ended.
  void kill() {
    Workplace.closeQuietly(shell.getOutputStream());
    if (!ended(END_SECONDS)) {
      shell.descendants().forEach(ProcessHandle::destroyForcibly);
      shell.destroyForcibly();
      ended(END_SECONDS);
    }
  }

  /// {@return whether QEMU has ended of itself, waiting a little}
  boolean ended(long seconds) {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          boolean gone = shell.waitFor(seconds, TimeUnit.SECONDS);
          if (gone) {
            reader.join(TimeUnit.SECONDS.toMillis(1));
          }
          return gone;
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
