package dev.doorbell.cli;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class ConsoleTest {
  @Test
  @DisplayName(
      "no-color.org: NO_COLOR of any text asks for plain text; not set, or empty, it does not")
  void noColor() {
    assertTrue(Console.wantsPlain("1"));
    assertTrue(Console.wantsPlain("0"));
    assertFalse(Console.wantsPlain(""));
    assertFalse(Console.wantsPlain(null));
  }
}
