package dev.doorbell.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.testkit.Shared;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

@DisplayName("inspect, plan, assign and trace on every capture of a RISC-V machine")
class RiscvCapturesTest {
  private static final JsonMapper MAPPER = new JsonMapper();
  private static final Pattern WITH = Pattern.compile("--with (\\S+)");
  private static final long PAGE = 0x1000;

  private static List<Path> captures() throws IOException {
    List<Path> out = new ArrayList<>();
    for (String folder : List.of("captures/riscv64", "lab-captures")) {
      try (Stream<Path> all = Files.list(Shared.require(folder))) {
        all.filter(
                p -> folder.startsWith("captures") || p.getFileName().toString().contains("riscv"))
            .sorted()
            .forEach(out::add);
      }
    }
    return out;
  }

  private static JsonNode json(Run run, Integer... statuses) {
    assertTrue(List.of(statuses).contains(run.status()), run::toString);
    return MAPPER.readTree(run.out());
  }

  @Test
  @DisplayName(
      "the advice of plan can be followed; behind an IOMMU every file is counted, 'remapped is not isolated' is said and refused, and what is allowed arrives; without one that is the refusal")
  void each() throws IOException {
    List<Path> captures = captures();
    assertTrue(captures.size() >= 9, captures::toString);
    int behind = 0;
    for (Path capture : captures) {
      String root = capture.toString();
      JsonNode machine = json(Run.on(root, "inspect", "--json"), 0);
      assertEquals("riscv64", machine.path("machine").path("arch").asString(), root);
      List<String> subject = subject(root);
      if (machine.path("iommus").isEmpty()) {
        withoutIommu(root, subject);
      } else {
        behindIommu(root, subject);
        behind++;
      }
    }
    assertTrue(behind >= 3, "captures with an IOMMU: " + behind);
  }

  /// {@return arguments that choose a function: those that plan advises, or none where it finds one}
  private static List<String> subject(String root) {
    Run run = Run.on(root, "plan");
    if (run.status() != 2) {
      return List.of();
    }
    Matcher advised = WITH.matcher(run.err());
    assertTrue(advised.find(), run::toString);
    String with = advised.group(1);
    return List.of(with.substring(0, with.indexOf(',')), "--with", with);
  }

  private static Run run(String root, String command, List<String> subject, String... more) {
    List<String> line = new ArrayList<>(subject);
    line.addAll(List.of(more));
    line.add("--json");
    return Run.on(root, command, line.toArray(String[]::new));
  }

  private static void withoutIommu(String root, List<String> subject) {
    JsonNode plan = json(run(root, "plan", subject), 1);
    assertTrue(plan.path("verdict").asString().startsWith("no: no IOMMU"), plan::toString);
    JsonNode refusal = json(run(root, "assign", subject, "--unsafe-interrupts"), 1).path("refusal");
    assertEquals("NoIommu", refusal.path("type").asString(), refusal::toString);
  }

  private static void behindIommu(String root, List<String> subject) {
    JsonNode plan = json(run(root, "plan", subject), 1);
    JsonNode doorbells = plan.path("window").path("doorbells");
    Set<String> frames = new HashSet<>();
    doorbells.forEach(d -> frames.add(d.path("frame").path("start").asString()));
    assertFalse(frames.isEmpty(), plan::toString);
    assertEquals(doorbells.size(), frames.size(), "one page for each file");
    assertEquals(PAGE * frames.size(), plan.path("window").path("needed").asLong(), plan::toString);
    assertTrue(plan.path("verdict").asString().contains("remapped is not isolated"), root);
    assertEquals(
        "NotIsolated",
        json(run(root, "assign", subject), 1).path("refusal").path("type").asString());
    for (String stage : List.of("1", "2")) {
      JsonNode vectors =
          json(run(root, "assign", subject, "--unsafe-interrupts", "--stage", stage), 0)
              .path("vectors");
      assertFalse(vectors.isEmpty(), root);
      for (JsonNode v : vectors) {
        assertTrue(v.path("delivered").asBoolean(), v::toString);
        assertEquals(v.path("data").asLong(), v.path("intid").asLong(), v::toString);
        assertTrue(frames.contains(v.path("doorbell").asString()), v::toString);
      }
      JsonNode first = vectors.get(0);
      JsonNode trace =
          json(
              run(root, "trace", subject, "--vector", "0", "--unsafe-interrupts", "--stage", stage),
              0);
      assertEquals(first.path("doorbell").asString(), trace.path("doorbell").asString());
      assertEquals(first.path("intid").asLong(), trace.path("interrupt").path("intid").asLong());
    }
  }
}
