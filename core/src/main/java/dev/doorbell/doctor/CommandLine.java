package dev.doorbell.doctor;

import dev.doorbell.explain.Source;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// The kernel's command line, taken apart as the kernel does: blanks separate unless quoted, what follows a word `--` belongs to init, and `-` and `_` in
/// names are the same.
///
/// **Source**: Linux `Documentation/admin-guide/kernel-parameters.rst`; `parse_args`, kernel/params.c.
///
/// @param words the kernel's part
/// @param seen whether it could be read
record CommandLine(List<String> words, boolean seen, Source source) {
  CommandLine {
    words = List.copyOf(words);
  }

  static CommandLine parse(String text, Source source) {
    List<String> words = new ArrayList<>();
    StringBuilder word = new StringBuilder();
    boolean quoted = false;
    for (char c : (text.strip() + " ").toCharArray()) {
      if (c == '"') {
        quoted = !quoted;
      } else if (Character.isWhitespace(c) && !quoted) {
        if (word.toString().equals("--")) {
          break;
        }
        if (!word.isEmpty()) {
          words.add(word.toString());
        }
        word.setLength(0);
      } else {
        word.append(c);
      }
    }
    return new CommandLine(words, true, source);
  }

  static CommandLine unseen(Source source) {
    return new CommandLine(List.of(), false, source);
  }

  /// {@return the value of a parameter's last occurrence; the empty string when it stands alone}
  Optional<String> value(String name) {
    Optional<String> last = Optional.empty();
    for (String word : words) {
      int equals = word.indexOf('=');
      String key = equals < 0 ? word : word.substring(0, equals);
      if (same(key, name)) {
        last = Optional.of(equals < 0 ? "" : word.substring(equals + 1));
      }
    }
    return last;
  }

  /// {@return whether some occurrence of a parameter has an option in its comma-separated value}
  boolean has(String name, String option) {
    return words.stream()
        .filter(w -> w.indexOf('=') > 0 && same(w.substring(0, w.indexOf('=')), name))
        .flatMap(w -> Arrays.stream(w.substring(w.indexOf('=') + 1).split(",", -1)))
        .anyMatch(option::equals);
  }

  /// {@return whether a boolean parameter is on: alone, or with a value that `kstrtobool` takes for true}
  boolean isOn(String name) {
    return value(name).map(v -> v.isEmpty() || v.matches("(?i)(y.*|t.*|1.*|on.*)")).orElse(false);
  }

  /// {@return whether a boolean parameter is turned off}
  boolean isOff(String name) {
    return value(name).map(v -> v.matches("(?i)(n.*|f.*|0.*|of.*)")).orElse(false);
  }

  private static boolean same(String a, String b) {
    return a.replace('-', '_').equals(b.replace('-', '_'));
  }
}
