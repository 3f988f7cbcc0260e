package dev.doorbell.route;

import dev.doorbell.explain.Source;

/// A dump of a machine's tables is not written as it should be.
public final class DumpFormatException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final transient Source source;

  /// @param line counted from 1
  public DumpFormatException(String file, int line, String text, String why) {
    super("%s line %d is '%s': %s".formatted(file, line, shortened(text), why));
    this.source = Source.at(file + " line", line);
  }

  /// {@return file and line}
  public Source source() {
    return source;
  }

  private static String shortened(String text) {
    return text.length() <= 80 ? text : text.substring(0, 80) + "...";
  }
}
