package dev.doorbell.qemu;

import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import dev.doorbell.testkit.Corpus;
import java.time.Duration;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class GdbAnswersReplayTest {
  @Test
  @DisplayName(
      "answers of the fuzzer's corpus, and near ones, end in a number or a failure that is told")
  void replay() {
    assertTimeoutPreemptively(
        Duration.ofMinutes(5),
        () -> Corpus.replay("gdb-answers", GdbAnswersFuzz::fuzzerTestOneInput));
  }
}
