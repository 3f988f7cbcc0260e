package dev.doorbell.arch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.testkit.ProjectRoot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName(
    "docs/requirements.md: every row R1 to R29 has a test that is named after it, or a caveat")
class RequirementsTest {
  private static final int ROWS = 29;
  private static final Pattern ROW = Pattern.compile("(?m)^\\| R(\\d+) \\|(.*)$");
  private static final Pattern LINUX_ROW = Pattern.compile("(?m)^\\| L(\\d+) \\|(.*)$");
  private static final Pattern LAB = Pattern.compile("lab `(\\w+)`");
  private static final Pattern TEST = Pattern.compile("`(\\w+)#(\\w+)`");
  private static final Pattern METHOD_NAME = Pattern.compile("void r(\\d\\d)_");
  private static final Pattern DISPLAY_NAME = Pattern.compile("\"((?:R\\d+(?:, )?)+):");
  private static final Pattern NUMBER = Pattern.compile("\\bR(\\d+)\\b");

  private static Map<Integer, String> rows() throws IOException {
    return ROW.matcher(read("docs/requirements.md"))
        .results()
        .collect(
            Collectors.toMap(
                r -> Integer.parseInt(r.group(1)), r -> r.group(2), (a, _) -> a, TreeMap::new));
  }

  private static String read(String file) throws IOException {
    return Files.readString(ProjectRoot.path().resolve(file));
  }

  /// {@return test sources by the name of their class}
  private static Map<String, String> tests() throws IOException {
    Map<String, String> out = new TreeMap<>();
    for (String module : Sources.MODULES) {
      Path src = ProjectRoot.path().resolve(module).resolve("src/test/java");
      if (Files.isDirectory(src)) {
        try (Stream<Path> found = Files.walk(src)) {
          for (Path p : found.filter(f -> f.toString().endsWith(".java")).toList()) {
            String name = p.getFileName().toString();
            out.merge(
                name.substring(0, name.length() - ".java".length()),
                Files.readString(p),
                String::concat);
          }
        }
      }
    }
    return out;
  }

  private static TreeSet<Integer> numbers(
      Pattern pattern, String text, Function<MatchResult, String> group) {
    return pattern
        .matcher(text)
        .results()
        .flatMap(r -> {
          String g = group.apply(r);
          return g.startsWith("R")
              ? NUMBER.matcher(g).results().map(n -> n.group(1))
              : Stream.of(g);
        })
        .map(Integer::parseInt)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  @Test
  @DisplayName("every row is in a test's name or in docs/caveats.md")
  void everyRowIsHeldOrLeftOut() throws IOException {
    TreeSet<Integer> known = numbers(NUMBER, read("docs/caveats.md"), r -> r.group(1));
    for (String source : tests().values()) {
      known.addAll(numbers(METHOD_NAME, source, r -> r.group(1)));
      known.addAll(numbers(DISPLAY_NAME, source, r -> r.group(1)));
    }
    List<Integer> missing = new ArrayList<>();
    for (int row = 1; row <= ROWS; row++) {
      if (!known.contains(row)) {
        missing.add(row);
      }
    }
    assertEquals(List.of(), missing);
  }

  @Test
  @DisplayName("the table has every row, and each test in it exists")
  void theTableIsTrue() throws IOException {
    Map<Integer, String> rows = rows();
    assertEquals(ROWS, rows.size());
    Map<String, String> tests = tests();
    String caveats = read("docs/caveats.md");
    rows.forEach((row, text) -> {
      List<MatchResult> named = TEST.matcher(text).results().toList();
      boolean leftOut = text.contains("caveats");
      assertTrue(!named.isEmpty() || leftOut, "R" + row + " has neither a test nor a caveat");
      assertTrue(
          !leftOut || Pattern.compile("\\bR" + row + "\\b").matcher(caveats).find(),
          "R" + row + " is not in docs/caveats.md");
      for (MatchResult t : named) {
        assertTrue(
            tests.getOrDefault(t.group(1), "").contains("void " + t.group(2) + "("),
            () -> "R%d names %s, which does not exist".formatted(row, t.group()));
      }
    });
  }

  @Test
  @DisplayName("each row about Linux names a test that exists, and programs of the lab that do")
  void linux() throws IOException {
    Map<String, String> tests = tests();
    List<MatchResult> rows = LINUX_ROW.matcher(read("docs/requirements.md")).results().toList();
    assertTrue(rows.size() > 20, rows::toString);
    for (MatchResult row : rows) {
      List<MatchResult> named = TEST.matcher(row.group(2)).results().toList();
      assertTrue(!named.isEmpty(), () -> "L" + row.group(1) + " has no test");
      for (MatchResult t : named) {
        assertTrue(
            tests.getOrDefault(t.group(1), "").contains("void " + t.group(2) + "("),
            () -> "L%s names %s, which does not exist".formatted(row.group(1), t.group()));
      }
      for (MatchResult program : LAB.matcher(row.group(2)).results().toList()) {
        Path source = ProjectRoot.path().resolve("lab/guest/" + program.group(1) + ".java");
        assertTrue(Files.exists(source), () -> "L%s names %s".formatted(row.group(1), source));
      }
    }
  }
}
