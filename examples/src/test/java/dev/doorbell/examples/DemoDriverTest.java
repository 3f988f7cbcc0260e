package dev.doorbell.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.iommu.NotIsolated;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("the example on the embedded machine")
class DemoDriverTest {
  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "arm64-its-acpi-switch-sriov, its@0x8080000",
    "arm64-2smmu-acpi, its@0x8080000",
    "two-its, its@0x30040000"
  })
  @DisplayName("every vector arrives once, the device copies, and the window holds the doorbell")
  void runs(String sample, String doorbell) throws InterruptedException {
    DemoDriver.Outcome done = OnModels.run(sample(sample));
    assertEquals(8, done.vectors());
    assertEquals(4096, done.copied());
    assertEquals(List.of(doorbell), done.need().doorbells());
    assertTrue(done.window().orElseThrow().bytes() >= done.need().bytes());
  }

  @Test
  @DisplayName("a program that accepts isolated interrupts only is refused behind a GICv2m frame")
  void notIsolated() {
    assertThrows(NotIsolated.class, () -> OnModels.run(sample("arm64-gicv2m-acpi")));
  }

  private static Path sample(String name) {
    return Path.of("..", "samples", name);
  }
}
