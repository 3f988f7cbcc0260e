import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/// Hands requests of the guest's programs to QEMU: `java QmpRelay.java SOCKET FOLDER`. A request is a file `NAME.request` in the folder, one line
/// of QMP; its answer becomes `NAME.answer`. Events are only logged. Ends with QEMU.
final class QmpRelay {
  private static final int START_MILLIS = 30_000;
  private static final int PAUSE_MILLIS = 100;
  private static final int ANSWER_SECONDS = 60;

  private QmpRelay() {}

  public static void main(String[] arguments) throws Exception {
    Path folder = Path.of(arguments[1]);
    BlockingQueue<String> answers = new LinkedBlockingQueue<>();
    try (SocketChannel qmp = connect(Path.of(arguments[0]))) {
      Thread reader = Thread.ofPlatform().daemon().start(() -> read(qmp, answers));
      send(qmp, "{\"execute\":\"qmp_capabilities\"}");
      answers.poll(ANSWER_SECONDS, TimeUnit.SECONDS);
      while (reader.isAlive()) {
        Thread.sleep(PAUSE_MILLIS);
        try (DirectoryStream<Path> requests = Files.newDirectoryStream(folder, "*.request")) {
          for (Path r : requests) {
            send(qmp, Files.readString(r).strip());
            String answer = answers.poll(ANSWER_SECONDS, TimeUnit.SECONDS);
            String name = r.getFileName().toString().replace(".request", "");
            Files.delete(r);
            Path draft = folder.resolve(name + ".draft");
            Files.writeString(draft, String.valueOf(answer));
            Files.move(draft, folder.resolve(name + ".answer"), StandardCopyOption.ATOMIC_MOVE);
          }
        }
      }
    }
  }

  private static SocketChannel connect(Path socket) throws Exception {
    for (int waited = 0; ; waited += PAUSE_MILLIS) {
      SocketChannel c = SocketChannel.open(StandardProtocolFamily.UNIX);
      try {
        c.connect(UnixDomainSocketAddress.of(socket));
        return c;
      } catch (IOException e) {
        c.close();
        if (waited > START_MILLIS) {
          throw e;
        }
        Thread.sleep(PAUSE_MILLIS);
      }
    }
  }

  private static void send(SocketChannel qmp, String line) throws IOException {
    System.out.println("> " + line);
    ByteBuffer b = UTF_8.encode(line + "\n");
    while (b.hasRemaining()) {
      qmp.write(b);
    }
  }

  private static void read(SocketChannel qmp, BlockingQueue<String> answers) {
    try (BufferedReader lines = new BufferedReader(Channels.newReader(qmp, UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        System.out.println("< " + line);
        if (line.startsWith("{\"return\"") || line.startsWith("{\"error\"")) {
          answers.add(line);
        }
      }
    } catch (IOException e) {
      System.out.println("QEMU is gone: " + e);
    }
  }
}
