package dev.doorbell.arch;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

/// Coverage of instructions by module, in per cent.
///
/// @param percents by the module's folder
record Coverage(Map<String, Integer> percents) {
  private static final int MISSED = 3;
  private static final int COVERED = 4;

  /// {@return the floors in a file of lines `module percent`}
  static Coverage floors(List<String> lines) {
    SortedMap<String, Integer> floors = new TreeMap<>();
    for (String line : lines) {
      if (!line.startsWith("#") && !line.isBlank()) {
        String[] words = line.strip().split("\\s+", -1);
        floors.put(words[0], Integer.parseInt(words[1]));
      }
    }
    return new Coverage(floors);
  }

  /// {@return what JaCoCo's tables in the modules' folders say; modules without code of their own have none}
  static Coverage measured(Path root) throws IOException {
    SortedMap<String, Integer> measured = new TreeMap<>();
    List<Path> folders;
    try (Stream<Path> all = Files.list(root)) {
      folders = all.toList();
    }
    for (Path folder : folders) {
      Path table = folder.resolve("target/site/jacoco/jacoco.csv");
      if (Files.isRegularFile(table)) {
        measured.put(folder.getFileName().toString(), percent(Files.readAllLines(table)));
      }
    }
    return new Coverage(measured);
  }

  /// {@return the sum over a table's lines, whose first names the columns}
  static int percent(List<String> lines) {
    long missed = 0;
    long covered = 0;
    for (String line : lines.subList(1, lines.size())) {
      String[] cells = line.split(",", -1);
      missed += Long.parseLong(cells[MISSED]);
      covered += Long.parseLong(cells[COVERED]);
    }
    return missed + covered == 0 ? 100 : (int) (100 * covered / (missed + covered));
  }

  /// {@return the measured modules that stay below their floor, these being the floors}
  List<String> objections(Coverage measured) {
    return percents.entrySet().stream()
        .filter(e -> measured.percents.getOrDefault(e.getKey(), 100) < e.getValue())
        .map(e ->
            "%s covers %d %% of its instructions, and its floor is %d %%"
                .formatted(e.getKey(), measured.percents.get(e.getKey()), e.getValue()))
        .toList();
  }

  /// {@return these floors, raised to one point less than measured}
  Coverage raised(Coverage measured) {
    SortedMap<String, Integer> floors = new TreeMap<>(percents);
    measured.percents.forEach((module, percent) -> floors.merge(module, percent - 1, Math::max));
    return new Coverage(floors);
  }
}
