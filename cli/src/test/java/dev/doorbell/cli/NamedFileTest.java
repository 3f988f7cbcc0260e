package dev.doorbell.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.doorbell.testkit.Json;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("files that arguments name")
class NamedFileTest {
  @TempDir private Path folder;

  private static String refusal(Path file, int most) {
    UnusableInput e =
        assertThrows(UnusableInput.class, () -> NamedFile.bytes(file, most, "name another"));
    assertEquals("UnreadableFile", e.type());
    assertEquals("name another", e.advice());
    return String.valueOf(e.getMessage());
  }

  @Test
  @DisplayName("a file is taken up to the most, and refused one byte later")
  void most() throws IOException {
    Path file = folder.resolve("three");
    Files.write(file, new byte[] {1, 2, 3});
    assertArrayEquals(new byte[] {1, 2, 3}, NamedFile.bytes(file, 3, "name another"));
    assertEquals(file + " has more than 2 bytes", refusal(file, 2));
  }

  @Test
  @DisplayName("what is not there and what is a folder are told apart, in words")
  void refused() {
    assertEquals("there is no file " + folder.resolve("gone"), refusal(folder.resolve("gone"), 9));
    assertEquals(folder + " is a folder", refusal(folder, 9));
  }

  @Test
  @DisplayName("a device, which has no end, and a file that is too long are refused unread")
  void unread() throws IOException {
    assertEquals(
        "/dev/zero is no regular file, but a device, a pipe or a socket",
        refusal(Path.of("/dev/zero"), Integer.MAX_VALUE));
    Path sparse = folder.resolve("sparse");
    try (RandomAccessFile f = new RandomAccessFile(sparse.toFile(), "rw")) {
      f.setLength(1L << 40);
    }
    // As many bytes could not be held.
    assertEquals(sparse + " has more than 2147483647 bytes", refusal(sparse, Integer.MAX_VALUE));
  }

  @Test
  @DisplayName("diff --replay says so of its file")
  void replay() {
    Run replay = Run.of("diff", "--replay", folder.resolve("gone").toString(), "--json");
    assertEquals(ExitStatus.UNUSABLE.code(), replay.status(), replay.err());
    assertEquals(
        "there is no file " + folder.resolve("gone"),
        Json.parse(replay.out()).get("error").get("message").text());
  }
}
