package dev.doorbell.linux;

import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import dev.doorbell.testkit.Corpus;
import dev.doorbell.vmm.KernelImageFuzz;
import java.time.Duration;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("Fuzz targets of this module: their corpora, and inputs near them")
class LinuxReplayTest {
  private static final Duration NO_HANG = Duration.ofMinutes(5);

  @Test
  @DisplayName("files of sysfs, procfs and debugfs")
  void texts() {
    assertTimeoutPreemptively(
        NO_HANG, () -> Corpus.replay("linux-texts", LinuxTextsFuzz::fuzzerTestOneInput));
  }

  @Test
  @DisplayName("a guest's kernel")
  void image() {
    assertTimeoutPreemptively(
        NO_HANG, () -> Corpus.replay("vm-image", KernelImageFuzz::fuzzerTestOneInput));
  }
}
