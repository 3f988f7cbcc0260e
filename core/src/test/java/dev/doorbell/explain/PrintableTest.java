package dev.doorbell.explain;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("text from outside, made fit to be printed")
class PrintableTest {
  @ParameterizedTest
  @ValueSource(ints = {0, 7, 0xa, 0x1b, 0x1f, 0x7f, 0x80, 0x9b, 0x9f, 0xd800, 0xdfff})
  @DisplayName("control characters and surrogates are spelled, the text around them kept")
  void spelled(int character) {
    assertEquals("a\\u%04xb".formatted(character), Printable.of("a" + (char) character + "b"));
  }

  @Test
  @DisplayName("a text without them is the text itself")
  void kept() {
    String text = " ~\u00a0Größe\ud7ff\ue000";
    assertSame(text, Printable.of(text));
  }

  @Test
  @DisplayName("a word of 256 characters is kept; of a longer one the beginning, and its length")
  void longWords() {
    String most = "x".repeat(256);
    assertEquals("'%s'".formatted("x".repeat(254)), Printable.brief("'" + "x".repeat(254) + "'"));
    assertSame(most, Printable.brief(most));
    assertEquals(
        "no %s… (257 characters) and $1 %s… (100,000 characters)"
            .formatted("x".repeat(64), "\\".repeat(64)),
        Printable.brief("no x%s and $1 %s".formatted(most, "\\".repeat(100_000))));
  }

  @Test
  @DisplayName("a text of 4,096 characters is kept; of a longer one the beginning, and its length")
  void longTexts() {
    String most = "word ".repeat(819) + "x";
    assertSame(most, Printable.brief(most));
    assertEquals(most + "… (4,097 characters)", Printable.brief(most + "x"));
  }
}
