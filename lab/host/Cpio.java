import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/// Packs a folder as an initramfs: `java Cpio.java FOLDER FILE`. Everything belongs to root; /dev/console is added.
///
/// **Source**: Linux `Documentation/driver-api/early-userspace/buffer-format.rst` ("newc")
final class Cpio {
  private static int inode = 1;

  private Cpio() {}

  public static void main(String[] arguments) throws IOException {
    Path root = Path.of(arguments[0]);
    try (OutputStream out =
            new BufferedOutputStream(Files.newOutputStream(Path.of(arguments[1])), 1 << 16);
        Stream<Path> all = Files.walk(root)) {
      for (Path p : all.sorted().toList()) {
        String name = root.relativize(p).toString();
        if (name.isEmpty()) {
          continue;
        }
        if (Files.isSymbolicLink(p)) {
          entry(out, name, 0120777, 0, Files.readSymbolicLink(p).toString().getBytes(UTF_8));
        } else if (Files.isDirectory(p)) {
          entry(out, name, 040755, 0, new byte[0]);
        } else {
          entry(out, name, Files.isExecutable(p) ? 0100755 : 0100644, 0, Files.readAllBytes(p));
        }
      }
      entry(out, "dev/console", 020600, 5 << 8 | 1, new byte[0]);
      entry(out, "TRAILER!!!", 0, 0, new byte[0]);
    }
  }

  private static void entry(OutputStream out, String name, int mode, int device, byte[] data)
      throws IOException {
    byte[] n = (name + "\0").getBytes(UTF_8);
    StringBuilder h = new StringBuilder("070701");
    for (int field :
        List.of(
            inode++, mode, 0, 0, 1, 0, data.length, 0, 0, device >> 8, device & 0xff, n.length, 0)) {
      h.append("%08x".formatted(field));
    }
    byte[] header = h.toString().getBytes(US_ASCII);
    out.write(header);
    out.write(n);
    pad(out, header.length + n.length);
    out.write(data);
    pad(out, data.length);
  }

  private static void pad(OutputStream out, int written) throws IOException {
    out.write(new byte[(4 - written % 4) % 4]);
  }
}
