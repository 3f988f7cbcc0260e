package dev.doorbell.stress;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// One planted fault: lines of a source file of `core` that are replaced by others, and the tests of which one must turn red.
///
/// They are listed in `sabotages.txt`, whose beginning explains the form.
///
/// @param name what it is called
/// @param what is broken, for people
/// @param file below `core/src/main/java/dev/doorbell`
/// @param tests names of test classes below `dev.doorbell`
/// @param edits in order
record Sabotage(String name, String what, String file, List<String> tests, List<Edit> edits) {
  /// Lines, and what stands in their place; leading space does not count.
  record Edit(List<String> from, List<String> to) {}

  static List<Sabotage> list() throws IOException {
    try (var in = Sabotage.class.getResourceAsStream("sabotages.txt")) {
      if (in == null) {
        throw new IllegalStateException("sabotages.txt is not beside " + Sabotage.class);
      }
      return parse(new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList());
    }
  }

  private static List<Sabotage> parse(List<String> lines) {
    List<Sabotage> out = new ArrayList<>();
    @Nullable Sabotage now = null;
    boolean adding = true;
    for (String line : lines) {
      if (line.isBlank() || line.startsWith("#")) {
        continue;
      }
      if (line.startsWith("= ")) {
        String[] parts = line.substring(2).split(": ", 2);
        now = new Sabotage(parts[0], parts[1], "", new ArrayList<>(), new ArrayList<>());
        out.add(now);
        adding = true;
      } else if (now == null) {
        throw new IllegalArgumentException("before the first name: " + line);
      } else if (line.startsWith("@ ")) {
        now = new Sabotage(now.name, now.what, line.substring(2), now.tests, now.edits);
        out.set(out.size() - 1, now);
      } else if (line.startsWith("! ")) {
        now.tests.addAll(List.of(line.substring(2).split(" ")));
      } else if (line.startsWith("-")) {
        if (adding) {
          now.edits.add(new Edit(new ArrayList<>(), new ArrayList<>()));
          adding = false;
        }
        now.edits.getLast().from.add(line.substring(1).strip());
      } else if (line.startsWith("+")) {
        now.edits.getLast().to.add(line.substring(1).strip());
        adding = true;
      } else {
        throw new IllegalArgumentException("neither name, file, test nor line: " + line);
      }
    }
    return out;
  }

  Path source(Path root) {
    return root.resolve("core/src/main/java/dev/doorbell").resolve(file);
  }

  /// {@return the file's text with the fault in it}
  ///
  /// @throws IllegalStateException when the lines to be replaced are not there, or more than once
  String applied(Path root) throws IOException {
    String text = Files.readString(source(root));
    for (Edit edit : edits) {
      String lines =
          edit.from.stream().map(Pattern::quote).collect(Collectors.joining("\\s*\\n\\s*"));
      Matcher found = Pattern.compile(lines).matcher(text);
      long times = found.results().count();
      if (times != 1) {
        throw new IllegalStateException(
            "%s: %d times in %s: %s".formatted(name, times, file, String.join(" | ", edit.from)));
      }
      text =
          Pattern.compile(lines)
              .matcher(text)
              .replaceFirst(Matcher.quoteReplacement(String.join("\n", edit.to)));
    }
    return text;
  }

  /// {@return the tests' full names}
  List<String> testClasses() {
    return tests.stream().map(t -> "dev.doorbell." + t).toList();
  }
}
