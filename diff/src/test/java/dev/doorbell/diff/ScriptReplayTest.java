package dev.doorbell.diff;

import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import dev.doorbell.testkit.Corpus;
import java.time.Duration;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class ScriptReplayTest {
  @Test
  @DisplayName("scripts of the fuzzer's corpus, and near ones, end in a run or a refusal")
  void replay() {
    assertTimeoutPreemptively(
        Duration.ofMinutes(5), () -> Corpus.replay("diff-script", ScriptFuzz::fuzzerTestOneInput));
  }
}
