package dev.doorbell.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bench.ShortRun.Row;
import dev.doorbell.testkit.Golden;
import dev.doorbell.testkit.OutsideTool;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

@DisplayName("doorbell bench")
class BenchCommandTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int run(String... args) {
    return Main.run(new PrintWriter(out), new PrintWriter(err), false, args);
  }

  @Test
  @DisplayName(
      "--json prints [{work,variant,nsPerOp,bytesPerOp}] and nothing else; progress goes to standard error")
  void json() {
    assertEquals(0, run("bench", "--json", "--milliseconds", "5", "msi to pending, 1x"));
    JsonNode rows = JsonMapper.builder().build().readTree(out.toString());
    assertEquals(3, rows.size());
    for (JsonNode row : rows) {
      assertEquals(
          List.of("work", "variant", "nsPerOp", "bytesPerOp"), List.copyOf(row.propertyNames()));
      assertEquals("msi to pending", row.get("work").asString());
      assertTrue(row.get("nsPerOp").asDouble() > 0, row::toString);
      assertTrue(row.get("bytesPerOp").isNumber(), row::toString);
    }
    assertEquals("1x1", rows.get(0).get("variant").asString());
    assertTrue(err.toString().contains("1 of 3: msi to pending, 1x1"), err::toString);
  }

  @Test
  @DisplayName("the table for people, to the letter")
  void table() throws IOException {
    List<Row> rows =
        List.of(
            new Row("translate", "pages 512, devices 1", 3.14159, 0),
            new Row("msi to pending", "256x64", 12_345.678, 0.004),
            new Row("iova", "refused", 0.04, 24));
    BenchCommand.print(new Console(new PrintWriter(out), new PrintWriter(err), false), rows);
    Golden.check("bench/table.txt", out.toString().replace(System.lineSeparator(), "\n"));
  }

  @Test
  @DisplayName("a filter that no work has is unusable input, and says how to list them")
  void noSuchWork() {
    assertEquals(2, run("bench", "--json", "teapot"));
    assertTrue(out.toString().contains("NoSuchWork"), out::toString);
  }

  @Test
  @DisplayName(
      "a run beside another one is refused in a sentence, as the two would measure each other")
  void busy() throws IOException {
    Path lock = Path.of(System.getProperty("java.io.tmpdir"), "jmh.lock");
    try (FileChannel channel =
            FileChannel.open(lock, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock held = channel.tryLock()) {
      assertEquals(2, run("bench", "--json", "--milliseconds", "5", "msi to pending, 1x1"));
      assertTrue(out.toString().contains("BenchmarkBusy"), out::toString);
      assertTrue(held == null || held.isValid());
    }
  }

  @Test
  @DisplayName(
      "calls of the kernel are measured in Java and, where there is a gcc, by the same loop in C")
  void kernelCalls() {
    assertEquals(0, run("bench", "--json", "--milliseconds", "5", "kernel: eventfd"));
    JsonNode rows = JsonMapper.builder().build().readTree(out.toString());
    assertEquals("Java", rows.get(0).get("variant").asString());
    assertTrue(rows.get(0).get("nsPerOp").asDouble() > 0, rows::toString);
    OutsideTool.require("gcc");
    assertEquals("C", rows.get(1).get("variant").asString());
    assertTrue(rows.get(1).get("nsPerOp").asDouble() > 0, rows::toString);
  }

  @Test
  @DisplayName("--list measures nothing and names every work")
  void list() {
    assertEquals(0, run("bench", "--list"));
    List<String> lines = out.toString().lines().toList();
    assertTrue(lines.contains("translate, pages 1048576, devices 1"), out::toString);
    assertFalse(lines.size() < 10, out::toString);
  }
}
