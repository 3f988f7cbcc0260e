package dev.doorbell.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.FileSystemException;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("standard output that cannot be written")
class SinkTest {
  private static Sink failing(IOException with) {
    return new Sink(
        new OutputStream() {
          @Override
          public void write(int b) throws IOException {
            throw with;
          }
        });
  }

  private static Sink written(IOException with) {
    Sink sink = failing(with);
    assertThrows(IOException.class, () -> sink.write('x'));
    return sink;
  }

  @Test
  @DisplayName("why it was lost is told in words, also where the exception has none")
  void words() {
    assertEquals(
        "No space left on device", written(new IOException("No space left on device")).why());
    assertEquals("input or output failed", written(new IOException()).why());
    assertEquals(
        "/dev/full: No space left on device",
        written(new FileSystemException("/dev/full", null, "No space left on device")).why());
  }

  @Test
  @DisplayName("a reader that has seen enough is no failure")
  void enough() {
    assertFalse(written(new IOException("Broken pipe")).failed());
  }
}
