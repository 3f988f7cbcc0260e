package dev.doorbell.explain;

/// Text from outside, made fit to be printed.
public final class Printable {
  private Printable() {}

  /// {@return a text whose control characters, which a hostile name could hold to fool a terminal, and surrogates are spelled as four hexadecimal digits after a backslash and a u; the text itself when it has none}
  public static String of(String text) {
    StringBuilder out = null;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      boolean good =
          c >= 0x20 && c != 0x7f && !(c >= 0x80 && c < 0xa0) && !Character.isSurrogate(c);
      if (!good && out == null) {
        out = new StringBuilder(text.length() + 16).append(text, 0, i);
      }
      if (out != null) {
        if (good) {
          out.append(c);
        } else {
          out.append("\\u%04x".formatted((int) c));
        }
      }
    }
    return out == null ? text : out.toString();
  }
}
