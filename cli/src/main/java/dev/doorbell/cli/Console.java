package dev.doorbell.cli;

import java.io.PrintWriter;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Help.Ansi;

/// Where commands print: standard output for the answer, standard error for progress.
final class Console {
  private final PrintWriter out;
  private final PrintWriter err;
  private final Ansi ansi;

  Console(PrintWriter out, PrintWriter err, boolean colour) {
    this.out = out;
    this.err = err;
    this.ansi = colour ? Ansi.ON : Ansi.OFF;
  }

  /// {@return whether standard output is a terminal whose user has not asked for plain text (no-color.org)}
  static boolean onTerminal() {
    if (wantsPlain(System.getenv("NO_COLOR"))) {
      return false;
    }
    // The script that starts the command knows; Java looks for providers of consoles first, and
    // takes a terminal for none where only its input is redirected.
    String told = System.getProperty("doorbell.terminal");
    if (told != null) {
      return told.equals("yes");
    }
    java.io.Console console = System.console();
    return console != null && console.isTerminal();
  }

  /// {@return whether `NO_COLOR` asks for plain text: set to nothing, it does not}
  static boolean wantsPlain(@Nullable String noColor) {
    return noColor != null && !noColor.isEmpty();
  }

  PrintWriter out() {
    return out;
  }

  PrintWriter err() {
    return err;
  }

  Ansi ansi() {
    return ansi;
  }

  void line(String text) {
    out.println(text);
  }

  void blank() {
    out.println();
  }

  /// A heading, set off from what came before.
  void heading(String text) {
    out.println();
    out.println(style("bold", text));
  }

  /// {@return text in a style of picocli's (`bold`, `fg(green)` …), or as it is where colour is off}
  String style(String style, String text) {
    return ansi.enabled()
        ? Ansi.Style.on(Ansi.Style.parse(style))
            + text
            + Ansi.Style.off(Ansi.Style.parse(style))
            + Ansi.Style.off(Ansi.Style.reset)
        : text;
  }

  String good(String text) {
    return style("fg(green)", text);
  }

  String bad(String text) {
    return style("fg(red)", text);
  }

  String faint(String text) {
    return style("faint", text);
  }
}
