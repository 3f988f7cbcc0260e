package dev.doorbell.testkit;

import java.util.ArrayList;
import java.util.List;

/// The difference of two texts, line by line: `-` was expected, `+` came instead.
final class LineDiff {
  private static final int CONTEXT = 2;
  private static final int MOST_CELLS = 4_000_000;
  private static final int MOST_LINES = 200;

  private final List<String> expected;
  private final List<String> actual;
  private final List<String> lines = new ArrayList<>();

  private LineDiff(String expected, String actual) {
    this.expected = List.of(expected.split("\n", -1));
    this.actual = List.of(actual.split("\n", -1));
  }

  /// {@return the lines that differ with a little context; empty when none does}
  static String of(String expected, String actual) {
    return new LineDiff(expected, actual).print();
  }

  private String print() {
    int head = 0;
    int shorter = Math.min(expected.size(), actual.size());
    while (head < shorter && expected.get(head).equals(actual.get(head))) {
      head++;
    }
    int tail = 0;
    while (tail < shorter - head && fromEnd(expected, tail).equals(fromEnd(actual, tail))) {
      tail++;
    }
    int expectedEnd = expected.size() - tail;
    int actualEnd = actual.size() - tail;
    if (head == expectedEnd && head == actualEnd) {
      return "";
    }
    add(" ", expected.subList(Math.max(0, head - CONTEXT), head));
    middle(expected.subList(head, expectedEnd), actual.subList(head, actualEnd));
    add(" ", expected.subList(expectedEnd, Math.min(expected.size(), expectedEnd + CONTEXT)));
    StringBuilder text = new StringBuilder("at line " + (head + 1) + ":\n");
    lines.stream().limit(MOST_LINES).forEach(line -> text.append(line).append('\n'));
    if (lines.size() > MOST_LINES) {
      text.append("and ").append(lines.size() - MOST_LINES).append(" lines more\n");
    }
    return text.toString();
  }

  /// Longest common subsequence where that is affordable, otherwise all of one and then all of the other.
  private void middle(List<String> left, List<String> right) {
    if ((long) (left.size() + 1) * (right.size() + 1) > MOST_CELLS) {
      add("-", left);
      add("+", right);
      return;
    }
    int[][] common = new int[left.size() + 1][right.size() + 1];
    for (int i = left.size() - 1; i >= 0; i--) {
      for (int j = right.size() - 1; j >= 0; j--) {
        common[i][j] =
            left.get(i).equals(right.get(j))
                ? common[i + 1][j + 1] + 1
                : Math.max(common[i + 1][j], common[i][j + 1]);
      }
    }
    int i = 0;
    int j = 0;
    while (i < left.size() || j < right.size()) {
      if (i < left.size() && j < right.size() && left.get(i).equals(right.get(j))) {
        lines.add(" " + left.get(i++));
        j++;
      } else if (j == right.size() || (i < left.size() && common[i + 1][j] >= common[i][j + 1])) {
        lines.add("-" + left.get(i++));
      } else {
        lines.add("+" + right.get(j++));
      }
    }
  }

  private void add(String mark, List<String> some) {
    some.forEach(line -> lines.add(mark + line));
  }

  private static String fromEnd(List<String> list, int index) {
    return list.get(list.size() - 1 - index);
  }
}
