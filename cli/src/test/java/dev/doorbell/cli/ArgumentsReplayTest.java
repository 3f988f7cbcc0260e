package dev.doorbell.cli;

import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import dev.doorbell.testkit.Corpus;
import java.time.Duration;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class ArgumentsReplayTest {
  @Test
  @DisplayName("words of the fuzzer's corpus, and near ones, end in a result or a refusal")
  void replay() {
    assertTimeoutPreemptively(
        Duration.ofMinutes(5), () -> Corpus.replay("arguments", ArgumentsFuzz::fuzzerTestOneInput));
  }
}
