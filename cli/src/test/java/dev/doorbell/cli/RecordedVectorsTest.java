package dev.doorbell.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Recordings that lack a fact, or hold one that cannot be meant: neither becomes an answer.
class RecordedVectorsTest {
  private static final JsonMapper MAPPER = JsonMapper.builder().build();
  private static final String FUNCTION = "0000:04:00.0";
  private static final String MSI_FUNCTION = "0000:00:01.0";

  @TempDir private Path folder = Path.of("");

  private static ObjectNode device(ObjectNode document, String bdf) {
    for (JsonNode d : document.path("devices")) {
      if (d.path("bdf").asString("").equals(bdf)) {
        return (ObjectNode) d;
      }
    }
    throw new AssertionError(bdf);
  }

  private static ObjectNode msix(ObjectNode document) {
    return (ObjectNode) device(document, FUNCTION).path("msix");
  }

  private static ObjectNode entry(ObjectNode document) {
    return (ObjectNode) msix(document).path("table").path(3);
  }

  private Run trace(String file, Consumer<ObjectNode> edit, String function, int vector)
      throws IOException {
    Path oracle = Path.of(Run.ITS).resolve("oracle");
    for (String name : new String[] {"memory.txt", "registers.json", "devices.json"}) {
      Path to = folder.resolve(name);
      Files.deleteIfExists(to);
      Files.write(to, Files.readAllBytes(oracle.resolve(name)));
    }
    ObjectNode document = (ObjectNode) MAPPER.readTree(folder.resolve(file));
    edit.accept(document);
    Files.writeString(folder.resolve(file), MAPPER.writeValueAsString(document));
    return Run.on(
        Run.ITS,
        "trace",
        function,
        "--vector",
        Integer.toString(vector),
        "--tables",
        folder.toString());
  }

  private Run trace(Consumer<ObjectNode> edit) throws IOException {
    return trace("devices.json", edit, FUNCTION, 3);
  }

  private static void unseen(Run run, String what) {
    assertEquals(1, run.status(), run::toString);
    assertTrue(run.out().contains("cannot see") && run.out().contains(what), run::toString);
    assertTrue(run.out().contains("[devices.json: "), run::toString);
    assertFalse(run.out().contains("observed"), run::toString);
  }

  private static void refused(Run run, String file, String field) {
    assertEquals(2, run.status(), run::toString);
    assertTrue(run.err().contains(file) && run.err().contains(field), run::toString);
  }

  @ParameterizedTest(name = "without {0} the entry cannot be seen")
  @ValueSource(strings = {"addr", "data", "ctrl"})
  void lackingField(String field) throws IOException {
    unseen(trace(d -> entry(d).remove(field)), field);
    unseen(trace(d -> entry(d).putNull(field)), field);
  }

  @ParameterizedTest(name = "{0} = {1} is refused")
  @CsvSource({
    "data, 0x100000003",
    "data, -1",
    "data, ''",
    "addr, 0x10000000000000000",
    "addr, 0x-1",
    "ctrl, no"
  })
  void malformedField(String field, String value) throws IOException {
    refused(trace(d -> entry(d).put(field, value)), "devices.json", "table[3]." + field);
  }

  @Test
  @DisplayName("enabled follows from control where only that is there; a contradiction is refused")
  void enabled() throws IOException {
    assertEquals(0, trace(d -> msix(d).remove("enabled")).status());
    Run contrary = trace(d -> msix(d).put("control", "0x10"));
    refused(contrary, "devices.json", "msix.enabled");
    refused(trace(d -> msix(d).put("enabled", "false")), "devices.json", "msix.enabled");
    unseen(trace(d -> msix(d).remove(java.util.List.of("enabled", "control"))), "enabled");
    unseen(trace(d -> msix(d).remove("control")), "control");
    unseen(trace(d -> msix(d).remove("table")), "no entry 3");
  }

  @Test
  @DisplayName("two entries of one vector, two devices of one bdf and one key twice are refused")
  void twice() throws IOException {
    refused(
        trace(d -> ((ArrayNode) msix(d).path("table")).add(entry(d).deepCopy())),
        "devices.json",
        "vector");
    refused(
        trace(d -> ((ArrayNode) d.path("devices")).add(device(d, FUNCTION).deepCopy())),
        "devices.json",
        "bdf");
    trace(d -> {});
    Path devices = folder.resolve("devices.json");
    Files.writeString(
        devices, Files.readString(devices).replaceFirst("\"kernel\"", "\"arch\":\"a\",\"kernel\""));
    Run run = Run.on(Run.ITS, "trace", FUNCTION, "--tables", folder.toString());
    refused(run, "devices.json", "arch");
  }

  @Test
  @DisplayName("a function without an entry is named as missing from devices.json")
  void noEntry() throws IOException {
    unseen(trace(d -> device(d, FUNCTION).put("bdf", "0000:7f:00.0")), "no entry");
  }

  private Run msi(Consumer<ObjectNode> edit, int vector) throws IOException {
    return trace(
        "devices.json",
        d -> {
          ObjectNode m = (ObjectNode) device(d, MSI_FUNCTION).path("msi");
          m.put("control", "0xb7").put("max", 8).put("allocated", 8);
          edit.accept(m);
        },
        MSI_FUNCTION,
        vector);
  }

  @Test
  @DisplayName("several MSI messages: the vector replaces the datum's low bits")
  void severalMessages() throws IOException {
    Run run = msi(m -> m.put("data", "0x3"), 1);
    assertTrue(run.out().contains("write 0x1 to 0x8000040"), run::toString);
    assertTrue(msi(m -> m.put("data", "0x13"), 6).out().contains("write 0x16 to"));
  }

  @Test
  @DisplayName(
      "MSI: 7 messages, 17 bits of data and negative numbers are refused; what lacks cannot be seen")
  void msiFields() throws IOException {
    refused(msi(m -> m.put("allocated", 7), 0), "devices.json", "msi.allocated");
    refused(msi(m -> m.put("data", "0x10000"), 0), "devices.json", "msi.data");
    refused(msi(m -> m.put("data", -1), 0), "devices.json", "msi.data");
    unseen(msi(m -> m.remove("data"), 0), "data");
    unseen(msi(m -> m.putNull("addr"), 0), "addr");
    unseen(msi(m -> m.put("control", "0x1b7"), 0), "mask");
    unseen(msi(m -> m.remove(java.util.List.of("control", "allocated")), 0), "allocated");
  }

  private Run registers(Consumer<ObjectNode> edit) throws IOException {
    return trace("registers.json", edit, FUNCTION, 3);
  }

  @Test
  @DisplayName("a negative register and two blocks at one base are refused; a null one is not 0")
  void registers() throws IOException {
    refused(
        registers(d -> ((ObjectNode) d.path("its").path(0).path("regs")).put("CTLR", -1)),
        "registers.json",
        "its[0].regs.CTLR");
    refused(
        registers(d -> ((ArrayNode) d.path("smmuv3")).add(d.path("smmuv3").path(0).deepCopy())),
        "registers.json",
        "smmuv3[1].base");
    Run lacking = registers(d -> ((ObjectNode) d.path("its").path(0).path("regs")).putNull("CTLR"));
    assertEquals(1, lacking.status(), lacking::toString);
    assertTrue(lacking.out().contains("GITS_CTLR of"), lacking::toString);
    assertTrue(lacking.out().contains("unseen]"), lacking::toString);
  }

  @Test
  @DisplayName("an address elsewhere was not read in config space")
  void elsewhere() throws IOException {
    Run run = trace("devices.json", d -> entry(d).put("addr", "0x8001040"), FUNCTION, 3);
    assertEquals(1, run.status(), run::toString);
    assertFalse(run.out().contains(FUNCTION + "/config, observed"), run::toString);
  }

  @Test
  @DisplayName("a collection of a processor that firmware does not have delivers nothing")
  void noSuchProcessor() throws IOException {
    trace(d -> {});
    Path memory = folder.resolve("memory.txt");
    String text = Files.readString(memory);
    String page = "page 0x401d0000\n+000 ";
    int at = text.indexOf(page) + page.length();
    assertTrue(at > page.length(), "the collection table is in the sample");
    String word = "%016x".formatted(Long.parseUnsignedLong(text, at, at + 16, 16) | 7 << 1);
    Files.writeString(memory, text.substring(0, at) + word + text.substring(at + 16));
    Run run = Run.on(Run.ITS, "trace", FUNCTION, "--vector", "3", "--tables", folder.toString());
    assertEquals(1, run.status(), run::toString);
    assertTrue(run.out().contains("firmware has 1 processor"), run::toString);
  }
}
