package dev.doorbell.testkit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/// The inputs of fuzz targets that the project keeps, below `fuzz/corpus`, a folder a target.
public final class Corpus {
  private static final Path ALL = ProjectRoot.path().resolve("fuzz/corpus");
  private static final int NEAR = 60;
  private static final int MOST_CHANGES = 6;

  private Corpus() {}

  /// Takes any bytes; what it throws is a finding.
  @FunctionalInterface
  public interface Target {
    void run(byte[] input) throws Exception;
  }

  /// {@return the names of the folders}
  public static Set<String> targets() throws IOException {
    Set<String> out = new TreeSet<>();
    try (Stream<Path> all = Files.list(ALL)) {
      all.filter(Files::isDirectory).forEach(f -> out.add(f.getFileName().toString()));
    }
    return out;
  }

  /// Runs a target on nothing, on each input of its folder, and on inputs that are near one.
  ///
  /// @throws IllegalStateException when the folder is empty
  /// @throws Exception what the target threw
  public static void replay(String name, Target target) throws Exception {
    List<byte[]> corpus = new ArrayList<>();
    try (Stream<Path> files = Files.list(ALL.resolve(name))) {
      for (Path file : files.sorted().toList()) {
        corpus.add(Files.readAllBytes(file));
      }
    }
    if (corpus.isEmpty()) {
      throw new IllegalStateException("the corpus of " + name + " is empty");
    }
    target.run(new byte[0]);
    for (byte[] input : corpus) {
      target.run(input);
    }
    Property.check(
        "near the corpus of " + name,
        NEAR,
        random -> {
          byte[] input = random.pick(corpus).clone();
          for (int i = random.between(1, MOST_CHANGES); i > 0 && input.length > 0; i--) {
            input[random.below(input.length)] = (byte) random.bits(Byte.SIZE);
          }
          target.run(random.oneIn(4) ? Arrays.copyOf(input, input.length / 2) : input);
        });
  }
}
