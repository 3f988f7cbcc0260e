package dev.doorbell.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.qemu.Qemus;
import dev.doorbell.testkit.Json;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName(
    "design 6: documents about QEMU's machine have the members that scripts rely on, and those of the embedded machine")
class OnQemuShapeTest {
  /// Members of each object, by its path. What a path ends in `[]` is an element of an array.
  private static final Map<String, String> DESIGN =
      Map.ofEntries(
          Map.entry("inspect", "machine iommus msiControllers functions groups oddities unseen"),
          Map.entry("inspect.machine", "arch firmware"),
          Map.entry("inspect.iommus[]", "id kind base inputBits granules"),
          Map.entry("inspect.msiControllers[]", "id kind doorbell frame vectors behindIommu"),
          Map.entry("inspect.msiControllers[].frame", "start end"),
          Map.entry(
              "inspect.functions[]",
              "sbdf vendor device class requesterId iommu streamId msiController msiDeviceId group msi msix"),
          Map.entry("inspect.functions[].msi", "vectors address64 maskable"),
          Map.entry("inspect.functions[].msix", "vectors tableBar tableOffset pbaBar pbaOffset"),
          Map.entry("inspect.groups[]", "id functions because reserved isolatedMsi"),
          Map.entry("plan", "window ram ledger conflicts unseen verdict"),
          Map.entry("plan.window", "start end granule doorbells needed headroom"),
          Map.entry("plan.window.doorbells[]", "controller frame"),
          Map.entry("plan.ledger[]", "sbdf advertised granted limit"),
          Map.entry("assign", "plan vectors refusal"),
          Map.entry(
              "assign.vectors[]", "sbdf vector address data iova doorbell intid cpu delivered"),
          Map.entry("trace", "hops doorbell delivered interrupt stoppedAt"),
          Map.entry("trace.hops[]", "at in out why source basis"),
          Map.entry("trace.interrupt", "controller intid cpu"));

  @BeforeAll
  static void needQemu() {
    assertTrue(Qemus.orSkip().path().isAbsolute());
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          inspect |                              |
          plan    | 0000:01:00.0                 | 0000:04:00.0
          assign  | 0000:00:05.0 0000:01:00.0    | 0000:04:00.0
          trace   | 0000:01:00.0 --vector 2      | 0000:04:00.0 --vector 2
          """)
  void members(String command, String onQemu, String onSample) {
    Run qemu = Run.of(words(command, "--json", "--on", "qemu", onQemu));
    assertEquals(0, qemu.status(), qemu::toString);
    assertEquals("", qemu.err());
    Map<String, Set<String>> shape = shape(command, qemu.out());
    DESIGN.forEach((path, members) -> {
      if (path.equals(command) || path.startsWith(command + ".")) {
        assertTrue(
            shape.getOrDefault(path, Set.of()).containsAll(List.of(members.split(" "))),
            () -> "%s has %s".formatted(path, shape.get(path)));
      }
    });
    Run sample = Run.of(words(command, "--json", "--root", Run.ITS, onSample));
    assertEquals(0, sample.status(), sample::toString);
    Map<String, Set<String>> known = shape(command, sample.out());
    known.keySet().retainAll(shape.keySet());
    shape.keySet().retainAll(known.keySet());
    assertEquals(known, shape);
  }

  @Test
  @DisplayName("addresses are strings, ids and offsets are numbers, functions are dddd:bb:dd.f")
  void values() {
    Json.Node document = Json.parse(Run.of("inspect", "--on", "qemu", "--json").out());
    Json.Node its = document.get("msiControllers").list().getFirst();
    assertEquals("0x8090040", its.get("doorbell").text());
    Json.Node controller =
        document.get("functions").list().stream()
            .filter(f -> f.get("sbdf").text().equals("0000:00:05.0"))
            .findFirst()
            .orElseThrow();
    assertEquals(0x28, controller.get("requesterId").number());
    assertEquals(0x28, controller.get("streamId").number());
    assertEquals(0x1033, controller.get("vendor").number());
    assertEquals(16, controller.get("msi").get("vectors").number());
    assertTrue(controller.get("msi").get("address64").isTrue());
  }

  private static String[] words(String... parts) {
    return Arrays.stream(parts)
        .flatMap(p -> p == null ? Stream.of() : Arrays.stream(p.split(" ")))
        .toArray(String[]::new);
  }

  private static Map<String, Set<String>> shape(String root, String document) {
    Map<String, Set<String>> out = new TreeMap<>();
    collect(root, Json.parse(document), out);
    return out;
  }

  private static void collect(String path, Json.Node node, Map<String, Set<String>> out) {
    node.list().forEach(element -> collect(path + "[]", element, out));
    if (!node.names().isEmpty()) {
      out.computeIfAbsent(path, _ -> new TreeSet<>()).addAll(node.names());
      node.names().forEach(name -> collect(path + "." + name, node.get(name), out));
    }
  }
}
