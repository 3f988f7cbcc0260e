package dev.doorbell.firmware;

import dev.doorbell.explain.Source;
import dev.doorbell.pci.ConfigImage;
import dev.doorbell.pci.Sbdf;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The hexadecimal part of `lspci -x`, `-xxx` or `-xxxx`.
///
/// Lines are forgiven one by one: a line that is no row of the function being read is an oddity, and the function keeps the
/// bytes up to the first gap.
///
/// **Source**: pciutils, `man lspci`, option `-x`.
final class LspciDump {
  private static final int CONFIG_BYTES = 4096;
  private static final int ROW = 16;
  private static final int MAX_FUNCTIONS = 65_536;
  private static final int NO_DIGIT = 16;
  private static final byte[] DIGITS = digits();
  private static final Pattern HEADER =
      Pattern.compile("((?:[0-9a-fA-F]{4,8}:)?[0-9a-fA-F]{2}:[0-9a-fA-F]{2}\\.[0-7])(?:\\s.*)?");
  private static final Pattern ROW_START = Pattern.compile("([0-9a-f]{2,3}):(.*)");

  private static final int LONGEST_LINE = 4096;

  /// A function's bytes.
  record Function(ConfigImage config, Source source) {}

  private final Blob dump;
  private final Findings findings;
  private final SequencedMap<Sbdf, Function> functions = new LinkedHashMap<>();
  private Sbdf current = new Sbdf(0, 0, 0, 0);
  private long currentAt;
  private boolean reading;

  /// Bytes of the function being read, of which those after `filled` mean nothing.
  private final byte[] config = new byte[CONFIG_BYTES];

  private int filled;
  private boolean broken;

  /// {@return values of hexadecimal digits by character}
  private static byte[] digits() {
    byte[] out = new byte[256];
    for (int c = 0; c < out.length; c++) {
      int digit = c < 128 ? Character.digit(c, 16) : -1;
      out[c] = (byte) (digit < 0 ? NO_DIGIT : digit);
    }
    return out;
  }

  private LspciDump(Blob dump, Findings findings) {
    this.dump = dump;
    this.findings = findings;
  }

  static SequencedMap<Sbdf, Function> read(Blob blob, Findings findings) {
    LspciDump dump = new LspciDump(blob, findings);
    // Dumps have tens of megabytes: as text, or copied, they would take longer than they are read.
    byte[] raw = blob.unshielded();
    int size = blob.size();
    int at = 0;
    while (at < size) {
      int next = dump.expectedRow(raw, at, size);
      if (next != at) {
        at = next;
        continue;
      }
      int end = at;
      while (end < size && raw[end] != '\n') {
        end++;
      }
      int length = Math.min(end - at, LONGEST_LINE);
      dump.line(new String(raw, at, length, StandardCharsets.ISO_8859_1).stripTrailing(), at);
      at = end + 1;
    }
    dump.finish();
    return dump.functions;
  }

  /// Takes the row that comes next, where it stands as lspci itself writes it: nearly all of a dump does, and nothing is allocated for it.
  ///
  /// {@return where the next line begins; this one, when it is no such row, of which nothing is taken then}
  private int expectedRow(byte[] raw, int at, int size) {
    int digits = filled < 0x100 ? 2 : 3;
    int end = at + digits + 1 + 3 * ROW;
    if (!reading || broken || filled == CONFIG_BYTES || end > size) {
      return at;
    }
    int wrong = raw[at + digits] - ':' << 8 | (end == size ? 0 : raw[end] - '\n' << 8);
    int offset = 0;
    for (int i = at; i < at + digits; i++) {
      int digit = DIGITS[raw[i] & 0xff];
      wrong |= digit;
      offset = offset * 16 + digit;
    }
    for (int i = 0, from = at + digits + 1; i < ROW; i++, from += 3) {
      int high = DIGITS[raw[from + 1] & 0xff];
      int low = DIGITS[raw[from + 2] & 0xff];
      wrong |= high | low | raw[from] - ' ' << 8;
      config[filled + i] = (byte) (high * 16 + low);
    }
    if ((wrong & ~15) != 0 || offset != filled) {
      return at;
    }
    filled += ROW;
    return end + 1;
  }

  private void line(String line, long at) {
    if (line.isEmpty() || Character.isWhitespace(line.charAt(0))) {
      return;
    }
    Matcher header = HEADER.matcher(line);
    if (header.matches()) {
      finish();
      begin(header.group(1), at);
      return;
    }
    Matcher row = ROW_START.matcher(line);
    if (row.matches() && reading) {
      row(Integer.parseInt(row.group(1), 16), row.group(2), at);
    } else {
      findings.odd(
          "line is neither a function nor a row of its bytes: '" + shortened(line) + "'",
          Source.at(dump.file(), at));
    }
  }

  private void begin(String name, long at) {
    try {
      current = Sbdf.parse(name);
      reading = functions.size() < MAX_FUNCTIONS;
    } catch (IllegalArgumentException e) {
      findings.odd("'" + name + "' is not a PCI function", Source.at(dump.file(), at));
      reading = false;
    }
    currentAt = at;
    filled = 0;
    broken = false;
  }

  private void row(int offset, String rest, long at) {
    byte[] bytes = new byte[ROW];
    int count = 0;
    boolean good = offset % ROW == 0 && offset < CONFIG_BYTES;
    for (String part : rest.strip().split("\\s+")) {
      if (count == ROW || part.length() != 2 || hex(part) < 0) {
        good = false;
        break;
      }
      bytes[count++] = (byte) hex(part);
    }
    if (!good || count != ROW) {
      findings.odd(
          "row %03x of %s is malformed: '%s'".formatted(offset, current, shortened(rest.strip())),
          Source.at(dump.file(), at));
      broken = true;
    } else if (offset != filled) {
      if (!broken) {
        findings.odd(
            "row %03x of %s follows byte %03x".formatted(offset, current, filled),
            Source.at(dump.file(), at));
      }
      broken = true;
    } else {
      System.arraycopy(bytes, 0, config, offset, ROW);
      filled += ROW;
    }
  }

  private static int hex(String part) {
    int high = Character.digit(part.charAt(0), 16);
    int low = Character.digit(part.charAt(1), 16);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
  }

  private void finish() {
    if (!reading) {
      return;
    }
    reading = false;
    Source source = Source.at(dump.file(), currentAt);
    Function f = new Function(ConfigImage.ofFirst(filled, config, source.toString()), source);
    if (functions.putIfAbsent(current, f) != null) {
      findings.odd(current + " is listed twice; the first counts", f.source);
    }
  }

  private static String shortened(String text) {
    return text.length() <= 60 ? text : text.substring(0, 60) + "…";
  }
}
