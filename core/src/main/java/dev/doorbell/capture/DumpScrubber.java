package dev.doorbell.capture;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Blanks serial numbers in the hexadecimal lines of an `lspci -xxxx` dump, in place.
final class DumpScrubber {
  private static final Pattern ROW = Pattern.compile("([0-9a-f]{2,3}):((?: [0-9a-f]{2}){16})\\s*");
  private static final int ROW_BYTES = 16;
  private static final int LARGEST = 4096;

  private final byte[] text;
  private final Map<Integer, Integer> rows = new TreeMap<>();
  private final byte[] config = new byte[LARGEST];
  private int used;
  private int count;

  private DumpScrubber(byte[] text) {
    this.text = text;
  }

  /// Blanks in place.
  ///
  /// @return how many places were blanked
  static int scrub(byte[] text) {
    DumpScrubber dump = new DumpScrubber(text);
    String all = new String(text, StandardCharsets.ISO_8859_1);
    for (int at = 0; at < all.length(); ) {
      int end = all.indexOf('\n', at);
      end = end < 0 ? all.length() : end;
      dump.line(all.substring(at, end), at);
      at = end + 1;
    }
    dump.function();
    return dump.count;
  }

  private void line(String line, int at) {
    Matcher m = ROW.matcher(line);
    if (!m.matches()) {
      if (!rows.isEmpty()) {
        function();
      }
      return;
    }
    int offset = HexFormat.fromHexDigits(m.group(1));
    if (offset + ROW_BYTES <= LARGEST) {
      byte[] row = HexFormat.of().parseHex(m.group(2).replace(" ", ""));
      System.arraycopy(row, 0, config, offset, ROW_BYTES);
      rows.put(offset, at + m.start(2));
      used = Math.max(used, offset + ROW_BYTES);
    }
  }

  /// Ends a function: blanks in its bytes, and writes its rows again.
  private void function() {
    byte[] whole = java.util.Arrays.copyOf(config, used);
    int blanked = ConfigScrubber.scrub(whole);
    if (blanked > 0) {
      count += blanked;
      rows.forEach((offset, at) -> {
        for (int i = 0; i < ROW_BYTES; i++) {
          String hex = HexFormat.of().toHexDigits(whole[offset + i]);
          text[at + 3 * i + 1] = (byte) hex.charAt(0);
          text[at + 3 * i + 2] = (byte) hex.charAt(1);
        }
      });
    }
    rows.clear();
    java.util.Arrays.fill(config, (byte) 0);
    used = 0;
  }
}
