package dev.doorbell.fuzz;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.testkit.ProjectRoot;
import dev.doorbell.testkit.Property;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@DisplayName("Fuzz targets: what their corpora hold, and some more, ends without a finding")
class CorpusReplayTest {
  private static final Path CORPUS = ProjectRoot.path().resolve("fuzz/corpus");
  private static final Duration NO_HANG = Duration.ofMinutes(5);

  static Set<String> targets() {
    return FuzzTargets.all().keySet();
  }

  private static List<byte[]> corpus(String target) throws IOException {
    List<byte[]> out = new ArrayList<>();
    try (Stream<Path> files = Files.list(CORPUS.resolve(target))) {
      for (Path file : files.sorted().toList()) {
        out.add(Files.readAllBytes(file));
      }
    }
    return out;
  }

  @ParameterizedTest
  @MethodSource("targets")
  @DisplayName("each input of the corpus, and inputs that are near one")
  void replay(String target) throws Exception {
    FuzzTargets.Target run = FuzzTargets.all().get(target);
    List<byte[]> corpus = corpus(target);
    assertTrue(!corpus.isEmpty(), "the corpus of " + target + " is empty");
    assertTimeoutPreemptively(
        NO_HANG,
        () -> {
          run.run(new byte[0]);
          for (byte[] input : corpus) {
            run.run(input);
          }
          Property.check(
              "near the corpus of " + target,
              60,
              random -> {
                byte[] input = random.pick(corpus).clone();
                for (int i = random.between(1, 6); i > 0 && input.length > 0; i--) {
                  input[random.below(input.length)] = (byte) random.bits(8);
                }
                run.run(random.oneIn(4) ? Arrays.copyOf(input, input.length / 2) : input);
              });
        });
  }

  @Test
  @DisplayName("there is no corpus without a target")
  void corporaAreNamed() throws IOException {
    Set<String> folders = new TreeSet<>();
    try (Stream<Path> all = Files.list(CORPUS)) {
      all.filter(Files::isDirectory).forEach(f -> folders.add(f.getFileName().toString()));
    }
    assertEquals(targets(), folders);
  }
}
