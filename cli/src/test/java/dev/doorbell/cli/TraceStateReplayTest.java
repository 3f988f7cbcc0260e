package dev.doorbell.cli;

import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import dev.doorbell.testkit.Corpus;
import java.time.Duration;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class TraceStateReplayTest {
  @Test
  @DisplayName("folders of the fuzzer's corpus, and near ones, end in routes or a refusal")
  void replay() {
    assertTimeoutPreemptively(
        Duration.ofMinutes(5),
        () -> Corpus.replay("trace-state", TraceStateFuzz::fuzzerTestOneInput));
  }
}
