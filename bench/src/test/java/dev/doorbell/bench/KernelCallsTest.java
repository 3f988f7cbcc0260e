package dev.doorbell.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("bench: calls of the kernel that cannot be measured here are said so")
class KernelCallsTest {
  @Test
  @DisplayName("DMA maps on a host without VFIO: skipped aloud, with what is missing, and no row")
  void noVfio() {
    Assumptions.assumeFalse(Files.exists(Path.of("/dev/vfio/vfio")), "this host has VFIO");
    List<String> told = new ArrayList<>();
    List<ShortRun.Row> rows =
        ShortRun.run("kernel: dma map", new ShortRun.Effort(1, 1, 1), told::add);
    assertEquals(List.of(), rows);
    assertEquals(1, told.size());
    assertTrue(told.getFirst().contains("skipped: no group"), told::toString);
    assertTrue(told.getFirst().contains("vfio-pci"), told::toString);
  }

  @Test
  @DisplayName("an eventfd's round trip can be measured everywhere, in C where there is a gcc")
  void eventfd() {
    try (KernelCalls kernel = KernelCalls.find()) {
      assertEquals(Optional.empty(), kernel.refusal("eventfd"));
      kernel.inC("eventfd", 1).ifPresent(ns -> assertTrue(ns > 0));
    }
  }
}
