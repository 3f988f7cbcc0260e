package dev.doorbell.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.testkit.Shared;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// `trace --tables` against the recorded truth of machines that Linux ran on.
class CapturedRoutesTest {
  private static final JsonMapper MAPPER = JsonMapper.builder().build();

  @ParameterizedTest(name = "every vector that Linux programmed on {0} ends where truth.json says")
  @ValueSource(
      strings = {
        "arm64-2smmu-acpi",
        "arm64-gicv2m-acpi",
        "arm64-its-acpi-switch-sriov",
        "arm64-its-dt",
        "arm64-its-iommufd",
        "arm64-its-noiommu-acpi",
        "arm64-its-stage2-dt",
        "arm64-its-vfio-noiommu",
        "arm64-virtio-iommu-acpi",
        "x86-amdvi",
        "x86-vtd-intremap",
        "x86-vtd-iommufd",
        "x86-vtd-nointremap",
        "x86-vtd-scalable-fs"
      })
  void endsWhereTruthSays(String machine) throws IOException {
    compare(Shared.require("lab-captures").resolve(machine));
  }

  @Test
  @DisplayName(
      "RISC-V with an untranslated domain: each vector ends in the hart's interrupt file, its identity is the datum that Linux programmed")
  void riscvIdentities() throws IOException {
    Path root = Shared.require("lab-captures").resolve("riscv64-iommu-native");
    JsonNode truth = MAPPER.readTree(Files.readString(root.resolve("oracle/truth.json")));
    assertEquals(7, truth.path("vectors").size());
    for (JsonNode v : truth.path("vectors")) {
      StringWriter out = new StringWriter();
      assertEquals(0, trace(root, v, new PrintWriter(out)), out::toString);
      JsonNode route = MAPPER.readTree(out.toString());
      assertEquals("0x28000000", route.path("doorbell").asString(), out::toString);
      assertEquals(
          v.path("data").asString(),
          "0x" + Integer.toHexString(route.path("interrupt").path("intid").asInt()));
      assertEquals(0, route.path("interrupt").path("cpu").asInt());
      assertTrue(
          route
              .path("hops")
              .valueStream()
              .anyMatch(h -> h.path("basis").asString().equals("recorded")),
          "that the IOMMU lets it pass is what the kernel wrote down");
    }
  }

  private static int trace(Path root, JsonNode v, PrintWriter writer) {
    int status =
        Main.run(
            writer,
            writer,
            false,
            "trace",
            v.path("bdf").asString(),
            "--vector",
            v.path("vector").asString(),
            "--root",
            root.toString(),
            "--tables",
            root.resolve("oracle").toString(),
            "--json");
    writer.flush();
    return status;
  }

  @Test
  @DisplayName("every vector of the bundled samples ends where their truth.json says")
  void samples() throws IOException {
    Path samples = Path.of("..", "samples");
    List<Path> withTruth;
    try (Stream<Path> list = Files.list(samples)) {
      withTruth = list.filter(p -> Files.exists(p.resolve("oracle/truth.json"))).sorted().toList();
    }
    assertTrue(withTruth.size() >= 2, withTruth::toString);
    for (Path p : withTruth) {
      compare(p);
    }
  }

  private static void compare(Path root) throws IOException {
    JsonNode truth = MAPPER.readTree(Files.readString(root.resolve("oracle/truth.json")));
    int compared = 0;
    for (JsonNode v : truth.path("vectors")) {
      String what = v.path("bdf").asString() + " vector " + v.path("vector").asInt();
      StringWriter out = new StringWriter();
      int status = trace(root, v, new PrintWriter(out));
      JsonNode route = MAPPER.readTree(out.toString());
      boolean reaches = v.path("reaches_doorbell").asBoolean();
      assertEquals(reaches, route.path("delivered").asBoolean(), what + ": " + out);
      assertEquals(reaches ? 0 : 1, status, what);
      if (reaches) {
        assertEquals(v.path("doorbell_pa").asString(), route.path("doorbell").asString(), what);
        int intid =
            v.has("remap")
                ? v.path("remap").path("vector").asInt()
                : v.has("lpi") ? v.path("lpi").asInt() : v.path("spi_intid").asInt();
        assertEquals(intid, route.path("interrupt").path("intid").asInt(), what);
      } else {
        assertTrue(
            route.path("stoppedAt").asString().contains("F_TRANSLATION"),
            what + ": " + route.path("stoppedAt"));
      }
      compared++;
    }
    assertTrue(compared > 0, "no vectors in " + root);
  }
}
