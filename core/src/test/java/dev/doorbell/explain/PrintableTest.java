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
}
