package dev.doorbell.diff;

/// A recorded scenario is not readable.
public final class BadScript extends DiffException {
  private static final long serialVersionUID = 1L;

  private static final int SHOWN = 200;

  BadScript(String where, int line, String text, String why) {
    super(
        "%s line %d, `%s`, is no step of a scenario: %s"
            .formatted(where, line, shown(text.strip()), shown(why)));
  }

  /// A damaged file may hold anything: nothing of it may move a terminal's cursor, or fill its screen.
  private static String shown(String text) {
    String plain = text.replaceAll("\\p{Cntrl}", "?");
    return plain.length() > SHOWN ? plain.substring(0, SHOWN) + "..." : plain;
  }
}
