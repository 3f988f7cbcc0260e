package dev.doorbell.qemu;

import dev.doorbell.address.Sizes;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A private folder for one QEMU: two listening sockets and the file of its RAM, on a file system in memory where there is one. Once QEMU has
/// connected and has opened the file, they lose their names, and what is in use goes on without; the folder itself is removed with QEMU.
final class Workplace implements AutoCloseable {
  private static final Path IN_MEMORY = Path.of("/dev/shm");

  /// Bytes that must be free: the RAM's file has holes, and what drivers and devices fill of it is far less than its size. Without room for
  /// a page this process and QEMU are killed at their first access to it.
  private static final long ROOM = 64 * Sizes.MIB;

  static final String FIRMWARE = "firmware";

  private static final int LONGEST_SOCKET_NAME = 107;

  private final Path folder;
  final ServerSocketChannel qtest;
  final ServerSocketChannel qmp;

  private Workplace(Path folder, ServerSocketChannel qtest, ServerSocketChannel qmp) {
    this.folder = folder;
    this.qtest = qtest;
    this.qmp = qmp;
  }

  static Workplace open() {
    return open(List.of(IN_MEMORY, Path.of(System.getProperty("java.io.tmpdir"))), ROOM);
  }

  /// @param places where the folder may be made, the best first
  /// @param room bytes that must be free there
  static Workplace open(List<Path> places, long room) {
    Path folder = null;
    ServerSocketChannel first = null;
    boolean done = false;
    try {
      folder = makeFolder(places, room);
      first = listen(folder.resolve("qtest"));
      Workplace out = new Workplace(folder, first, listen(folder.resolve("qmp")));
      done = true;
      return out;
    } catch (IOException e) {
      throw new QemuUnstartable("a folder with sockets", e);
    } finally {
      if (!done) {
        closeQuietly(first);
        remove(folder);
      }
    }
  }

  /// {@return a new folder in the first place that is there, can be written and has room}
  private static Path makeFolder(List<Path> places, long room) throws IOException {
    var owner = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
    List<String> seen = new ArrayList<>();
    for (Path place : places) {
      if (!Files.isDirectory(place) || !Files.isWritable(place)) {
        seen.add("%s is no folder that can be written".formatted(place));
        continue;
      }
      long has = Files.getFileStore(place).getUsableSpace();
      if (has >= room) {
        return Files.createTempDirectory(place, name(), owner);
      }
      seen.add("%s has room for %d bytes".formatted(place, has));
    }
    throw new IOException("%d bytes are needed; %s".formatted(room, String.join(", ", seen)));
  }

  /// Its first part tells whose it is.
  private static String name() {
    return "doorbell-qemu-%d-".formatted(ProcessHandle.current().pid());
  }

  private static ServerSocketChannel listen(Path socket) throws IOException {
    if (socket.toString().length() > LONGEST_SOCKET_NAME) {
      throw new IOException(
          "the name %s is longer than a socket's may be, %d bytes"
              .formatted(socket, LONGEST_SOCKET_NAME));
    }
    ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    return server.bind(UnixDomainSocketAddress.of(socket));
  }

  Path folder() {
    return folder;
  }

  /// {@return the file that holds the RAM}
  Path ramFile() {
    return folder.resolve("ram");
  }

  /// Makes the RAM's file and maps it.
  MemorySegment ram(long bytes, Arena arena) {
    try (FileChannel file =
        FileChannel.open(
            ramFile(),
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE)) {
      return file.map(MapMode.READ_WRITE, 0, bytes, arena);
    } catch (IOException e) {
      throw new QemuUnstartable("%d bytes of RAM".formatted(bytes), e);
    }
  }

  /// Makes a file that QEMU reads at its start.
  void put(String name, byte[] content) {
    try {
      Files.write(folder.resolve(name), content);
    } catch (IOException e) {
      throw new QemuUnstartable("the file " + name, e);
    }
  }

  /// Ends listening, and takes the names away.
  void connected() {
    closeQuietly(qtest);
    closeQuietly(qmp);
    empty(folder);
  }

  /// Does the same, and removes the folder.
  @Override
  public void close() {
    closeQuietly(qtest);
    closeQuietly(qmp);
    remove(folder);
  }

  static void closeQuietly(@Nullable AutoCloseable closeable) {
    if (closeable != null) {
      try {
        closeable.close();
      } catch (Exception e) {
        // A socket that cannot be closed is closed with the process; the caller has a better error
        // to tell, or none.
        return;
      }
    }
  }

  private static void remove(@Nullable Path folder) {
    if (folder == null) {
      return;
    }
    empty(folder);
    try {
      Files.deleteIfExists(folder);
    } catch (IOException e) {
      return;
    }
  }

  private static void empty(Path folder) {
    for (String name : List.of("qtest", "qmp", "ram", FIRMWARE)) {
      try {
        Files.deleteIfExists(folder.resolve(name));
      } catch (IOException e) {
        // The wrapper around QEMU removes the folder too.
      }
    }
  }
}
