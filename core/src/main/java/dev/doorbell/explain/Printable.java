package dev.doorbell.explain;

import static java.util.regex.Matcher.quoteReplacement;

import java.util.regex.Pattern;

/// Text from outside, made fit to be printed.
public final class Printable {
  /// Longer words are cut: no name that a person gives has so many characters.
  private static final int LONGEST_WORD = 256;

  /// Longer texts are cut.
  private static final int LONGEST = 4096;

  private static final int SHOWN = 64;

  private static final Pattern LONG_WORD = Pattern.compile("\\S{%d,}".formatted(LONGEST_WORD + 1));

  private Printable() {}

  /// {@return a text in which what is too long to be read is cut, with its length in place of the rest: words of more than 256 characters, such
  /// as an argument that a script made, and the text itself after 4,096}
  public static String brief(String text) {
    String words =
        text.length() <= LONGEST_WORD
            ? text
            : LONG_WORD.matcher(text).replaceAll(m -> quoteReplacement(cut(m.group(), SHOWN)));
    return words.length() <= LONGEST ? words : cut(words, LONGEST);
  }

  private static String cut(String text, int shown) {
    return "%s… (%,d characters)".formatted(text.substring(0, shown), text.length());
  }

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
