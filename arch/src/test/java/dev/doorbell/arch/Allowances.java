package dev.doorbell.arch;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.io.InputStream;
import java.util.Collection;
import java.util.SortedSet;
import java.util.TreeSet;

/// The exceptions to one rule, listed in `src/test/resources/allowances/<rule>.txt`, one a line, `#` for the reason.
///
/// A violation that is not listed fails, and so does a line that no longer has its violation: the lists only shrink
/// unless somebody adds to one in plain sight.
final class Allowances {
  private Allowances() {}

  static void check(String rule, String demand, Collection<String> violations) {
    SortedSet<String> found = new TreeSet<>(violations);
    SortedSet<String> allowed = read(rule);
    SortedSet<String> unlisted = new TreeSet<>(found);
    unlisted.removeAll(allowed);
    SortedSet<String> stale = new TreeSet<>(allowed);
    stale.removeAll(found);
    if (!unlisted.isEmpty()) {
      fail(
          "%s; repair these, or list them with the reason in arch/src/test/resources/allowances/%s.txt:%n  %s"
              .formatted(demand, rule, String.join("\n  ", unlisted)));
    }
    if (!stale.isEmpty()) {
      fail(
          "these lines of arch/src/test/resources/allowances/%s.txt are no longer needed, remove them:%n  %s"
              .formatted(rule, String.join("\n  ", stale)));
    }
  }

  private static SortedSet<String> read(String rule) {
    SortedSet<String> lines = new TreeSet<>();
    try (InputStream in = Allowances.class.getResourceAsStream("/allowances/" + rule + ".txt")) {
      if (in == null) {
        return lines;
      }
      for (String line : new String(in.readAllBytes(), UTF_8).lines().toList()) {
        String entry = line.replaceFirst("#.*", "").strip();
        if (!entry.isEmpty()) {
          lines.add(entry);
        }
      }
      return lines;
    } catch (IOException e) {
      throw new IllegalStateException("the allowances of rule " + rule + " cannot be read", e);
    }
  }
}
