package dev.doorbell.route;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.StringReader;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TableDumpTest {
  private static TableDump read(String text) throws IOException {
    return TableDump.read("memory.txt", new StringReader(text));
  }

  @Test
  @DisplayName(
      "Words, repeats and silence: a word not listed is zero, a page not listed is not seen")
  void words() throws IOException {
    TableDump dump =
        read(
            "# a comment\npage 0x40001000\n+008 8000000000000001\n+ff0 c2c2c2c2c2c2c2c2 x2\n\npage 0x7ac60000\n");
    assertEquals(2, dump.pages());
    assertEquals(OptionalLong.of(0), dump.read64(0x40001000));
    assertEquals(OptionalLong.of(0x8000000000000001L), dump.read64(0x40001008));
    assertEquals(OptionalLong.of(0xc2c2c2c2c2c2c2c2L), dump.read64(0x40001ff8));
    assertEquals(OptionalLong.of(0), dump.read64(0x7ac60ff8));
    assertEquals(OptionalLong.empty(), dump.read64(0x40002000));
    assertTrue(dump.has(0x7ac60123));
    assertFalse(dump.has(0x7ac61000));
    assertEquals(OptionalInt.of(0x80), dump.read8(0x4000100f));
    assertEquals(OptionalInt.of(0xc2), dump.read8(0x40001ff3));
    assertThrows(IllegalArgumentException.class, () -> dump.read64(0x40001004));
  }

  @ParameterizedTest
  @DisplayName("A line that is not as it should be is told with its number and its text")
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "+000 1 | 1 | no page line came before",
        "page 40001000 | 1 | a page's address is hexadecimal with 0x",
        "page 0x40001004 | 1 | a page starts at a multiple of 4096",
        "page 0x1000;page 0x1000 | 2 | the page is in the dump already",
        "page 0x | 1 | '' is not a hexadecimal number of 1 to 16 digits",
        "page 0x1000;+1000 1 | 2 | '1000' is not a hexadecimal number of 1 to 3 digits",
        "page 0x1000;+004 1 | 2 | an offset is a multiple of 8",
        "page 0x1000;+008 1;+008 2 | 3 | offsets ascend within a page",
        "page 0x1000;+000 1 x2;+008 2 | 3 | offsets ascend within a page",
        "page 0x1000;+ff8 1 x2 | 2 | 2 words from here leave the page",
        "page 0x1000;+000 1 x0 | 2 | a count is at least 1",
        "page 0x1000;+000 1 x99999999999 | 2 | a count is a decimal number",
        "page 0x1000;+000 1 2 | 2 | a count is written xN",
        "page 0x1000;+000 12345678123456789 | 2 | '12345678123456789' is not a hexadecimal number of 1 to 16 digits",
        "page 0x1000;+000 -1 | 2 | '-1' is not a hexadecimal number of 1 to 16 digits",
        "page 0x1000;+000 | 2 | a word is '+OFF VALUE' or '+OFF VALUE xN'",
        "pages | 1 | a line is a comment, 'page 0xPA' or '+OFF VALUE [xN]'",
      })
  void wrong(String lines, int number, String why) {
    String text = lines.replace(';', '\n');
    var refused = assertThrows(DumpFormatException.class, () -> read(text));
    String line = text.lines().toList().get(number - 1);
    assertEquals(
        "memory.txt line %d is '%s': %s".formatted(number, line, why), refused.getMessage());
    assertEquals(number, refused.source().offset());
  }
}
