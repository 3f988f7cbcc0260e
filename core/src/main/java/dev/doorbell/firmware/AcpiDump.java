package dev.doorbell.firmware;

import dev.doorbell.explain.Source;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The text that `acpidump` prints: a line for each table, then its bytes in rows of sixteen.
///
/// Lines are forgiven one by one: a row that does not follow the one before is an oddity, and its table ends there.
///
/// **Source**: ACPICA, `acpidump` and the reader of its text, `acpixtract`.
final class AcpiDump {
  /// Beside `sys` in a capture, where tables were taken by `acpidump` and not out of sysfs.
  static final String PATH = "acpidump.txt";

  static final int LIMIT = 64 * 1024 * 1024;
  private static final int MAX_TABLES = 256;
  private static final int MAX_LINE = 256;
  private static final int TEXT_COLUMN = 16 * 3;
  private static final Pattern HEADER = Pattern.compile("([A-Z0-9_ ]{4}) @ 0x[0-9A-Fa-f]{1,16}");
  private static final Pattern ROW = Pattern.compile(" +([0-9A-Fa-f]{4,8}): (.*)");
  private static final Pattern BYTES =
      Pattern.compile("((?:[0-9A-Fa-f]{2} ){0,15}[0-9A-Fa-f]{2}) *");

  private final String file;
  private final Findings findings;
  private final List<Blob> tables = new ArrayList<>();
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private Optional<String> signature = Optional.empty();
  private long tableAt;
  private boolean broken;
  private boolean full;

  private AcpiDump(String file, Findings findings) {
    this.file = file;
    this.findings = findings;
  }

  /// {@return whether a text begins as one of `acpidump` does}
  static boolean isOne(Blob text) {
    String start = text.text(0, Math.min(text.size(), MAX_LINE));
    int end = start.indexOf("\\x0");
    return end > 0 && HEADER.matcher(start.substring(0, end).stripTrailing()).matches();
  }

  /// {@return the tables, each named by the text's file and its signature}
  static List<Blob> read(Blob text, Findings findings) {
    AcpiDump dump = new AcpiDump(text.file(), findings);
    String all = text.latin1();
    int at = 0;
    while (at < all.length()) {
      int end = all.indexOf('\n', at);
      if (end < 0) {
        end = all.length();
      }
      dump.line(all.substring(at, Math.min(end, at + MAX_LINE)).stripTrailing(), at);
      at = end + 1;
    }
    dump.finish();
    return dump.tables;
  }

  private void line(String line, long at) {
    Matcher header = HEADER.matcher(line);
    if (header.matches()) {
      finish();
      signature = Optional.of(header.group(1));
      tableAt = at;
      return;
    }
    Matcher row = ROW.matcher(line);
    if (row.matches() && signature.isPresent()) {
      row(Long.parseLong(row.group(1), 16), row.group(2), at);
    } else if (!line.isEmpty()) {
      findings.odd(
          "line is neither a table's name nor a row of its bytes: '%s'"
              .formatted(line.substring(0, Math.min(line.length(), 40))),
          Source.at(file, at));
    }
  }

  /// The characters behind the sixteen columns show the bytes once more.
  private void row(long offset, String columns, long at) {
    Matcher hex = BYTES.matcher(columns.substring(0, Math.min(columns.length(), TEXT_COLUMN)));
    if (broken) {
      return;
    }
    if (offset != bytes.size() || !hex.matches()) {
      findings.odd(
          "row at 0x%x of table %s does not follow the one before; the table ends there"
              .formatted(offset, signature.orElse("")),
          Source.at(file, at));
      broken = true;
      return;
    }
    bytes.writeBytes(HexFormat.ofDelimiter(" ").parseHex(hex.group(1)));
  }

  private void finish() {
    boolean whole = signature.isPresent() && bytes.size() > 0;
    if (whole && tables.size() == MAX_TABLES && !full) {
      findings.odd(
          "table %s and what follows is not read: %d tables are the most that are"
              .formatted(signature.get(), MAX_TABLES),
          Source.at(file, tableAt));
      full = true;
    } else if (whole && !full) {
      tables.add(Blob.of(file + ":" + signature.get(), bytes.toByteArray()));
    }
    signature = Optional.empty();
    broken = false;
    bytes.reset();
  }
}
