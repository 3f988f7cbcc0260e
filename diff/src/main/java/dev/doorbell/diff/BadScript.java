package dev.doorbell.diff;

/// A recorded scenario is not readable.
public final class BadScript extends DiffException {
  private static final long serialVersionUID = 1L;

  BadScript(String where, int line, String text, String why) {
    super(
        "%s line %d, `%s`, is no step of a scenario: %s".formatted(where, line, text.strip(), why));
  }
}
