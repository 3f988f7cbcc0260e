package dev.doorbell.fuzz;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import dev.doorbell.testkit.Corpus;
import java.io.IOException;
import java.time.Duration;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@DisplayName("Fuzz targets: what their corpora hold, and some more, ends without a finding")
class CorpusReplayTest {
  private static final Duration NO_HANG = Duration.ofMinutes(5);

  static Set<String> targets() {
    return FuzzTargets.all().keySet();
  }

  @ParameterizedTest
  @MethodSource("targets")
  @DisplayName("each input of the corpus, and inputs that are near one")
  void replay(String target) throws Exception {
    Corpus.Target run = FuzzTargets.all().get(target);
    assertTimeoutPreemptively(NO_HANG, () -> Corpus.replay(target, run));
  }

  @Test
  @DisplayName("there is no corpus without a target")
  void corporaAreNamed() throws IOException {
    Set<String> all = new TreeSet<>(targets());
    all.addAll(FuzzTargets.OF_OTHER_MODULES);
    assertEquals(all, Corpus.targets());
  }
}
