package dev.doorbell.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;

/// A layout's bit numbers typed from another publication than the one its declaration was typed from.
///
/// The file has one field a line, `NAME first last` as that publication prints the numbers; `#` starts a comment. Its
/// first comment line names the publication and revision. `>=` before the first number says that the publication knows
/// the field up to that bit only (as one does that has addresses of 52 bits in mind).
///
/// @param publication what the numbers were typed from
/// @param rows the fields in the order of the file
public record SecondSource(String publication, List<Row> rows) {
  /// One field: its name and its two bit numbers as printed.
  ///
  /// @param atLeast whether the field may reach further than `first`
  public record Row(String name, int first, int last, boolean atLeast) {
    public Row(String name, int first, int last) {
      this(name, first, last, false);
    }
  }

  public SecondSource {
    rows = List.copyOf(rows);
  }

  /// {@return the table in this resource}
  ///
  /// @throws IOException when the resource cannot be read
  /// @throws IllegalArgumentException when there is none, or a line is not `NAME first last`
  public static SecondSource read(Class<?> beside, String resource) throws IOException {
    try (InputStream in = beside.getResourceAsStream(resource)) {
      if (in == null) {
        throw new IllegalArgumentException(
            "there is no " + resource + " beside " + beside.getName());
      }
      return parse(new String(in.readAllBytes(), UTF_8));
    }
  }

  /// {@return the table in this text}
  ///
  /// @throws IllegalArgumentException when it names no publication, or a line is not `NAME first last`
  public static SecondSource parse(String text) {
    String publication = "";
    List<Row> rows = new ArrayList<>();
    for (String line : text.lines().toList()) {
      int comment = line.indexOf('#');
      if (comment >= 0 && publication.isEmpty()) {
        publication = line.substring(comment + 1).strip();
      }
      String content = (comment >= 0 ? line.substring(0, comment) : line).strip();
      if (!content.isEmpty()) {
        rows.add(row(content));
      }
    }
    if (publication.isEmpty()) {
      throw new IllegalArgumentException("the table names no publication in a comment");
    }
    return new SecondSource(publication, rows);
  }

  private static Row row(String line) {
    String[] words = line.split("\\s+", -1);
    if (words.length != 3) {
      throw new IllegalArgumentException("the line '" + line + "' is not NAME first last");
    }
    boolean atLeast = words[1].startsWith(">=");
    int first = Integer.parseInt(atLeast ? words[1].substring(2) : words[1]);
    return new Row(words[0], first, Integer.parseInt(words[2]), atLeast);
  }
}
