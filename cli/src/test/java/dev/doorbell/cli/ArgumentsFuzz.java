package dev.doorbell.cli;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Any words behind the commands that only read, on a sample machine: a result, or a refusal in a sentence. The input is a command's number and the words, one a line.
public final class ArgumentsFuzz {
  private static final List<String> COMMANDS = List.of("inspect", "plan", "trace");
  private static final int MOST_WORDS = 12;

  private ArgumentsFuzz() {}

  /// What a fuzzer calls.
  public static void fuzzerTestOneInput(byte[] input) {
    if (input.length == 0) {
      return;
    }
    String text = new String(Arrays.copyOfRange(input, 1, input.length), StandardCharsets.UTF_8);
    List<String> words = new ArrayList<>();
    words.add(COMMANDS.get((input[0] & 0xff) % COMMANDS.size()));
    words.addAll(List.of("--root", Run.TWO_ITS));
    text.lines().filter(w -> !isElsewhere(w)).limit(MOST_WORDS).forEach(words::add);
    Run run = Run.of(words.toArray(String[]::new));
    if (run.status() < 0 || run.status() > 2 || run.err().contains("\tat ")) {
      throw new IllegalStateException("%s: %s".formatted(words, run));
    }
    boolean told = run.status() != 2 || !run.err().isEmpty() || run.out().contains("\"error\"");
    if (!told) {
      throw new IllegalStateException("%s: nothing is said: %s".formatted(words, run));
    }
  }

  /// Other files than the sample's are not the same on two hosts, and another stack may act.
  private static boolean isElsewhere(String word) {
    return word.startsWith("@")
        || word.startsWith("--ro")
        || word.startsWith("--on")
        || word.startsWith("--ta")
        || word.startsWith("--qe");
  }
}
