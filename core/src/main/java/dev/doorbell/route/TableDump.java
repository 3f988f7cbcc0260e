package dev.doorbell.route;

import dev.doorbell.address.Sizes;
import dev.doorbell.explain.MemoryView;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Reader;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;

/// The pages of a machine's memory that hold its tables, read from a `memory.txt`.
///
/// `page 0xPA` starts a page of 4 KiB; `+OFF VALUE`, both hexadecimal, is a 64-bit little-endian word at that offset, and ` xN`
/// says that it stands N times, one after another. Words not listed in a listed page are zero; of a page that is not listed nothing is
/// known. `#` starts a comment line. Immutable.
public final class TableDump {
  /// Bytes of a page.
  public static final int PAGE_BYTES = 4096;

  private static final int WORDS = PAGE_BYTES / Long.BYTES;
  private static final int MOST_PAGES = (int) (Sizes.GIB / MemoryView.PAGE_BYTES);

  private final Map<Long, long[]> pages;

  private TableDump(Map<Long, long[]> pages) {
    this.pages = pages;
  }

  /// {@return the dump in a text}
  ///
  /// @param name the file's name, for messages
  /// @throws DumpFormatException when a line is not of the three forms, leaves its page, is out of order, or comes twice
  /// @throws IOException when the text cannot be read
  public static TableDump read(String name, Reader text) throws IOException {
    BufferedReader lines = text instanceof BufferedReader b ? b : new BufferedReader(text);
    Parser parser = new Parser(name);
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      parser.take(line);
    }
    return new TableDump(parser.pages);
  }

  /// {@return the word at an address, or empty when its page is not in the dump}
  ///
  /// @throws IllegalArgumentException when the address is not a multiple of 8
  public OptionalLong read64(long pa) {
    if (pa % Long.BYTES != 0) {
      throw new IllegalArgumentException("a word at 0x%x is not aligned to 8 bytes".formatted(pa));
    }
    long[] page = pages.get(Long.divideUnsigned(pa, PAGE_BYTES));
    return page == null
        ? OptionalLong.empty()
        : OptionalLong.of(page[(int) Long.remainderUnsigned(pa, PAGE_BYTES) / Long.BYTES]);
  }

  /// {@return the byte at an address, or empty when its page is not in the dump}
  public OptionalInt read8(long pa) {
    OptionalLong word = read64(pa - Long.remainderUnsigned(pa, Long.BYTES));
    int shift = (int) Long.remainderUnsigned(pa, Long.BYTES) * Byte.SIZE;
    return word.isEmpty()
        ? OptionalInt.empty()
        : OptionalInt.of((int) (word.getAsLong() >>> shift) & 0xff);
  }

  /// {@return whether the page of an address is in the dump}
  public boolean has(long pa) {
    return pages.containsKey(Long.divideUnsigned(pa, PAGE_BYTES));
  }

  /// {@return how many pages the dump has}
  public int pages() {
    return pages.size();
  }

  /// One pass over the lines.
  private static final class Parser {
    private final String name;
    private final Map<Long, long[]> pages = new HashMap<>();
    private long[] page = new long[0];
    private int written;
    private int number;

    private Parser(String name) {
      this.name = name;
    }

    private void take(String line) {
      number++;
      if (line.isBlank() || line.startsWith("#")) {
        return;
      }
      if (line.startsWith("page ")) {
        page(line, line.substring("page ".length()));
      } else if (line.startsWith("+")) {
        words(line, line.substring(1).split(" ", -1));
      } else {
        throw wrong(line, "a line is a comment, 'page 0xPA' or '+OFF VALUE [xN]'");
      }
    }

    private void page(String line, String address) {
      if (!address.startsWith("0x")) {
        throw wrong(line, "a page's address is hexadecimal with 0x");
      }
      long pa = hex(line, address.substring(2), 16);
      if (Long.remainderUnsigned(pa, PAGE_BYTES) != 0) {
        throw wrong(line, "a page starts at a multiple of 4096");
      }
      if (pages.size() == MOST_PAGES) {
        throw wrong(line, "a dump has at most " + MOST_PAGES + " pages");
      }
      page = new long[WORDS];
      written = 0;
      if (pages.put(Long.divideUnsigned(pa, PAGE_BYTES), page) != null) {
        throw wrong(line, "the page is in the dump already");
      }
    }

    private void words(String line, String[] parts) {
      if (page.length == 0) {
        throw wrong(line, "no page line came before");
      }
      if (parts.length < 2 || parts.length > 3) {
        throw wrong(line, "a word is '+OFF VALUE' or '+OFF VALUE xN'");
      }
      long offset = hex(line, parts[0], 3);
      long value = hex(line, parts[1], 16);
      int count = parts.length == 3 ? count(line, parts[2]) : 1;
      if (offset % Long.BYTES != 0) {
        throw wrong(line, "an offset is a multiple of 8");
      }
      int first = (int) offset / Long.BYTES;
      if (first < written) {
        throw wrong(line, "offsets ascend within a page");
      }
      if (count > WORDS - first) {
        throw wrong(line, count + " words from here leave the page");
      }
      Arrays.fill(page, first, first + count, value);
      written = first + count;
    }

    private int count(String line, String text) {
      if (!text.startsWith("x")) {
        throw wrong(line, "a count is written xN");
      }
      try {
        int count = Integer.parseInt(text.substring(1));
        if (count >= 1) {
          return count;
        }
      } catch (NumberFormatException e) {
        throw wrong(line, "a count is a decimal number");
      }
      throw wrong(line, "a count is at least 1");
    }

    private long hex(String line, String digits, int most) {
      boolean plain = digits.chars().allMatch(c -> Character.digit(c, 16) >= 0 && c < 0x80);
      if (digits.isEmpty() || digits.length() > most || !plain) {
        throw wrong(
            line, "'" + digits + "' is not a hexadecimal number of 1 to " + most + " digits");
      }
      return Long.parseUnsignedLong(digits, 16);
    }

    private DumpFormatException wrong(String line, String why) {
      return new DumpFormatException(name, number, line, why);
    }
  }
}
