package dev.doorbell.cli;

import dev.doorbell.address.Sizes;
import dev.doorbell.explain.Basis;
import dev.doorbell.explain.FileTrouble;
import dev.doorbell.explain.MemoryView;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.route.DumpFormatException;
import dev.doorbell.route.MachineState;
import dev.doorbell.route.TableDump;
import dev.doorbell.route.VectorState;
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
import java.util.OptionalLong;
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
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
          .build();
  private static final String ADVICE =
      "give --tables a folder with memory.txt, registers.json and devices.json";
  private static final long MOST_BYTES = 256 * Sizes.MIB;
  private static final String REGISTERS = "registers.json";
  private static final String DEVICES = "devices.json";
  private static final String ITS_FORMAT = "itsFormat";

  private final TableDump memory;
  private final RecordedVectors vectors;
  private final Map<String, List<Block>> blocks = new HashMap<>();
  private final String itsFormat;

  private OracleState(TableDump memory, Path folder) {
    Path registers = folder.resolve(REGISTERS);
    JsonNode document = json(registers);
    this.memory = memory;
    this.vectors = new RecordedVectors(folder.resolve(DEVICES), json(folder.resolve(DEVICES)));
    this.itsFormat = document.path(ITS_FORMAT).asString("qemu");
    for (Map.Entry<String, JsonNode> kind : document.properties()) {
      if (kind.getValue().isArray()) {
        blocks.put(kind.getKey(), blocks(registers, kind.getKey(), kind.getValue()));
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
      return new OracleState(memory, folder);
    } catch (DumpFormatException e) {
      throw new UnusableInput("UnusableTables", String.valueOf(e.getMessage()), ADVICE);
    } catch (CharacterCodingException e) {
      throw unusable(dump, "it is not text in UTF-8");
    } catch (IOException e) {
      throw unusable(dump, FileTrouble.of(e));
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
  public VectorState vector(Sbdf function, int vector) {
    return vectors.vector(function, vector);
  }

  private static List<Block> blocks(Path file, String kind, JsonNode list) {
    List<Block> out = new ArrayList<>();
    for (JsonNode b : list) {
      RecordedFields f = new RecordedFields(file, "%s[%d]".formatted(kind, out.size()), b);
      OptionalLong base = f.number("base", Long.SIZE);
      if (base.isEmpty()) {
        throw f.wrong(
            "base", "is not there: a block without a base; give each its physical address");
      }
      if (out.stream().anyMatch(o -> o.base() == base.getAsLong())) {
        throw f.wrong("base", "is 0x%x, which came before".formatted(base.getAsLong()));
      }
      Map<String, Long> registers = new HashMap<>();
      f.object("regs")
          .ifPresent(r ->
              r.node()
                  .propertyNames()
                  .forEach(
                      n -> r.number(n, Long.SIZE).ifPresent(value -> registers.put(n, value))));
      out.add(new Block(base.getAsLong(), registers));
    }
    return List.copyOf(out);
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
          file,
          // Where an object began is told as a place in no source at all.
          e.getOriginalMessage().replaceFirst(" \\(start marker at .*\\)", "")
              + (at == null ? "" : " at " + at.offsetDescription()));
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
      throw unusable(file, FileTrouble.of(e));
    }
  }

  private static UnusableInput unusable(Path file, String why) {
    return new UnusableInput(
        "UnusableTables", "%s cannot be used: %s".formatted(file, why), ADVICE);
  }
}
