package dev.doorbell.explain;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("what file systems refuse is told in words")
class FileTroubleTest {
  @Test
  @DisplayName("each kind by its own words, never by the exception's name")
  void words() {
    Map<IOException, String> told =
        Map.of(
            new NoSuchFileException("/a"), "there is no file /a",
            new AccessDeniedException("/a"), "this user has no access to /a",
            new FileAlreadyExistsException("/a"), "/a is there already",
            new FileSystemException("/a", null, "No space left"), "/a: No space left",
            new FileSystemException("/a"), "/a",
            new IOException("Input/output error"), "Input/output error",
            new IOException(), "input or output failed");
    told.forEach((e, words) -> assertEquals(words, FileTrouble.of(e)));
  }
}
