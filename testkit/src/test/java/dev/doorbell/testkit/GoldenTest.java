package dev.doorbell.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("Golden: printed text against a checked-in file")
class GoldenTest {
  private static final String SWITCH = "doorbell.golden";

  private String before = "";

  @BeforeEach
  void compare() {
    before = System.getProperty(SWITCH, "");
    System.setProperty(SWITCH, "check");
  }

  @AfterEach
  void restore() {
    System.setProperty(SWITCH, before);
  }

  @Test
  @DisplayName("write makes the file, and check then holds for exactly this text")
  void writesAndCompares(@TempDir Path folder) throws IOException {
    System.setProperty(SWITCH, "write");
    Golden.check(folder, "some/text.txt", "one\ntwo\n");
    System.setProperty(SWITCH, "check");
    Golden.check(folder, "some/text.txt", "one\ntwo\n");
    assertThrows(AssertionError.class, () -> Golden.check(folder, "some/text.txt", "one\ntwo"));
  }

  @Test
  @DisplayName("a difference prints the lines that differ, and where")
  void printsTheDifference(@TempDir Path folder) throws IOException {
    Files.writeString(folder.resolve("text.txt"), "a\nb\nc\nd\ne\n");
    AssertionError error =
        assertThrows(
            AssertionError.class, () -> Golden.check(folder, "text.txt", "a\nb\nX\nd\ne\n"));
    assertTrue(
        error.getMessage().contains("at line 3:\n a\n b\n-c\n+X\n d\n e\n"), error::getMessage);
  }

  @Test
  @DisplayName("a missing file is a failure that says how to make it")
  void missingFileFails(@TempDir Path folder) {
    AssertionError error =
        assertThrows(AssertionError.class, () -> Golden.check(folder, "no.txt", "text"));
    assertTrue(error.getMessage().contains("-Ddoorbell.golden=write"), error::getMessage);
    assertThrows(IllegalArgumentException.class, () -> Golden.check(folder, "../no.txt", "text"));
  }

  @Test
  @DisplayName("the difference of two texts keeps common lines between two changes")
  void keepsCommonLines() {
    assertEquals("", LineDiff.of("same\n", "same\n"));
    assertEquals("at line 1:\n-a\n+A\n b\n-c\n+C\n \n", LineDiff.of("a\nb\nc\n", "A\nb\nC\n"));
    assertEquals("at line 2:\n a\n+b\n \n", LineDiff.of("a\n", "a\nb\n"));
  }
}
