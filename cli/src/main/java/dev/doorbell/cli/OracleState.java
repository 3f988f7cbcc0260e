package dev.doorbell.cli;

import dev.doorbell.address.Sizes;
import dev.doorbell.explain.Basis;
import dev.doorbell.explain.MemoryView;
import dev.doorbell.explain.Source;
import dev.doorbell.pci.MsixLayout;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.route.DumpFormatException;
import dev.doorbell.route.MachineState;
import dev.doorbell.route.ProgrammedVector;
import dev.doorbell.route.TableDump;
import java.io.IOException;
import java.io.Reader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.json.JsonMapper;

/// A machine's state as a folder holds it: `memory.txt`, `registers.json` and `devices.json`. Opens these three files and nothing else.
final class OracleState implements MachineState {
  private static final ObjectMapper MAPPER =
      JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();
  private static final String ADVICE =
      "give --tables a folder with memory.txt, registers.json and devices.json";
  private static final long MOST_BYTES = 256 * Sizes.MIB;
  private static final String ITS_FORMAT = "itsFormat";

  private final TableDump memory;
  private final JsonNode devices;
  private final Map<String, List<Block>> blocks = new HashMap<>();
  private final String itsFormat;

  private OracleState(TableDump memory, JsonNode registers, JsonNode devices) {
    this.memory = memory;
    this.devices = devices;
    this.itsFormat = registers.path(ITS_FORMAT).asString("qemu");
    for (Map.Entry<String, JsonNode> kind : registers.properties()) {
      if (kind.getValue().isArray()) {
        List<Block> list = new ArrayList<>();
        kind.getValue().forEach(b -> list.add(block(kind.getKey(), b)));
        blocks.put(kind.getKey(), List.copyOf(list));
      }
    }
  }

  /// {@return the state in a folder}
  ///
  /// @throws UnusableInput when a file is not there or cannot be read; names the file, and the place in it
  static OracleState read(Path folder) {
    Path dump = folder.resolve("memory.txt");
    if (!Files.isDirectory(folder)) {
      throw unusable(folder, "it is no folder");
    }
    check(dump);
    try (Reader text = Files.newBufferedReader(dump, StandardCharsets.UTF_8)) {
      TableDump memory = TableDump.read(dump.toString(), text);
      return new OracleState(
          memory, json(folder.resolve("registers.json")), json(folder.resolve("devices.json")));
    } catch (DumpFormatException e) {
      throw new UnusableInput("UnusableTables", String.valueOf(e.getMessage()), ADVICE);
    } catch (CharacterCodingException e) {
      throw unusable(dump, "it is not text in UTF-8");
    } catch (IOException e) {
      throw unusable(dump, String.valueOf(e.getMessage()));
    }
  }

  @Override
  public List<Block> blocks(String kind) {
    return blocks.getOrDefault(kind, List.of());
  }

  @Override
  public MemoryView memory() {
    return memory::read64;
  }

  @Override
  public String itsFormat() {
    return itsFormat;
  }

  @Override
  public Basis basis() {
    return Basis.OBSERVED;
  }

  @Override
  public Optional<ProgrammedVector> vector(Sbdf function, int vector) {
    for (JsonNode d : devices.path("devices")) {
      if (!d.path("bdf").asString("").equals(function.toString())) {
        continue;
      }
      Optional<ProgrammedVector> msix = msix(function, d.path("msix"), vector);
      Optional<ProgrammedVector> msi = msi(function, d.path("msi"), vector);
      return msix.filter(ProgrammedVector::enabled)
          .or(() -> msi.filter(ProgrammedVector::enabled))
          .or(() -> msix)
          .or(() -> msi);
    }
    return Optional.empty();
  }

  private static Optional<ProgrammedVector> msix(Sbdf function, JsonNode m, int vector) {
    if (m.isMissingNode()) {
      return Optional.empty();
    }
    boolean enabled = m.path("enabled").asBoolean(false);
    int entries = m.path("entries").asInt(0);
    if (vector >= entries && enabled) {
      throw new IndexOutOfBoundsException(
          "%s has an MSI-X table of %d entries and no vector %d"
              .formatted(function, entries, vector));
    }
    for (JsonNode e : m.path("table")) {
      if (e.path("vector").asInt(-1) == vector) {
        boolean masked = MsixLayout.isMasked((int) number(m, "control"), number(e, "ctrl"));
        return Optional.of(
            new ProgrammedVector(
                enabled,
                number(e, "addr"),
                (int) number(e, "data"),
                masked,
                "MSI-X",
                Source.file("devices.json: msix.table of " + function)));
      }
    }
    return Optional.empty();
  }

  private static Optional<ProgrammedVector> msi(Sbdf function, JsonNode m, int vector) {
    if (m.isMissingNode()) {
      return Optional.empty();
    }
    int allocated = m.path("allocated").asInt(m.path("max").asInt(1));
    boolean enabled = m.path("enabled").asBoolean(false);
    if (vector >= m.path("max").asInt(allocated) && enabled) {
      throw new IndexOutOfBoundsException(
          "%s has an MSI capability of %d vectors and no vector %d"
              .formatted(function, m.path("max").asInt(allocated), vector));
    }
    boolean masked = m.has("mask") && (number(m, "mask") >>> vector & 1) != 0;
    return Optional.of(
        new ProgrammedVector(
            enabled && vector < allocated,
            number(m, "addr"),
            (int) number(m, "data") + vector,
            masked,
            "MSI",
            Source.file("devices.json: msi of " + function)));
  }

  private static Block block(String kind, JsonNode b) {
    Map<String, Long> registers = new HashMap<>();
    for (Map.Entry<String, JsonNode> r : b.path("regs").properties()) {
      registers.put(r.getKey(), number(b.path("regs"), r.getKey()));
    }
    if (!b.has("base")) {
      throw new UnusableInput(
          "UnusableTables",
          "registers.json has a block of '%s' without a base".formatted(kind),
          "give each block its physical address");
    }
    return new Block(number(b, "base"), registers);
  }

  private static long number(JsonNode parent, String field) {
    JsonNode n = parent.path(field);
    if (n.isMissingNode() || n.isNull()) {
      return 0;
    }
    String text = n.asString("");
    try {
      return text.startsWith("0x")
          ? Long.parseUnsignedLong(text.substring(2), 16)
          : Long.parseLong(text);
    } catch (NumberFormatException e) {
      throw new UnusableInput(
          "UnusableTables",
          "'%s' of field %s is not a number".formatted(text, field),
          "write numbers as 0x…");
    }
  }

  private static JsonNode json(Path file) {
    check(file);
    try {
      JsonNode document = MAPPER.readTree(file);
      if (!document.isObject()) {
        throw unusable(file, "it holds no JSON object");
      }
      return document;
    } catch (JacksonException e) {
      @Nullable TokenStreamLocation at = e.getLocation();
      throw unusable(
          file, e.getOriginalMessage() + (at == null ? "" : " at " + at.offsetDescription()));
    }
  }

  private static void check(Path file) {
    try {
      if (!Files.isRegularFile(file)) {
        throw unusable(file, "it is not there, or not a file");
      }
      if (Files.size(file) > MOST_BYTES) {
        throw unusable(
            file,
            "it has %d bytes, and %d are read at most".formatted(Files.size(file), MOST_BYTES));
      }
    } catch (IOException e) {
      throw unusable(file, String.valueOf(e.getMessage()));
    }
  }

  private static UnusableInput unusable(Path file, String why) {
    return new UnusableInput(
        "UnusableTables", "%s cannot be used: %s".formatted(file, why), ADVICE);
  }
}
