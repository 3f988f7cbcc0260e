package dev.doorbell.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.testkit.Json;
import dev.doorbell.testkit.Shared;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("plan, assign and trace agree on captures that contradict themselves")
class CommandsAgreeTest {
  private static final int MEMORY_BASE = 0x20;
  private static final int PREFETCHABLE_BASE = 0x24;
  private static final List<String> COMMANDS = List.of("plan", "assign", "trace");

  @TempDir private Path root;

  @BeforeEach
  void machine() throws IOException {
    DamagedTablesTest.copy(root);
  }

  private Path file(String function, String name) throws IOException {
    return root.resolve("sys/bus/pci/devices/" + function + "/" + name).toRealPath();
  }

  private void allSay(int status, String function, String text) {
    for (String command : COMMANDS) {
      Run run = Run.on(root.toString(), command, function);
      assertEquals(status, run.status(), run::toString);
      assertTrue((run.out() + run.err()).contains(text), run::toString);
    }
  }

  /// Leads the windows of a port to where nothing lies.
  private void moveWindows(String port) throws IOException {
    Path config = file(port, "config");
    byte[] bytes = Files.readAllBytes(config);
    set(bytes, MEMORY_BASE, 0xf0, 0xff, 0x00, 0x00);
    set(bytes, PREFETCHABLE_BASE, 0xf1, 0xff, 0x01, 0x00);
    Files.write(config, bytes);
  }

  private static void set(byte[] bytes, int at, int... values) {
    for (int i = 0; i < values.length; i++) {
      bytes[at + i] = (byte) values[i];
    }
  }

  @Test
  @DisplayName(
      "a BAR where the windows of the port above it do not lead: to all it is unusable, with both named")
  void beyondThePort() throws IOException {
    moveWindows("0000:00:04.0");
    allSay(
        2,
        "0000:06:00.0",
        "BAR 0 of 0000:06:00.0, which holds the MSI-X table of 9 vectors, lies at [0x11000000, 0x11003fff], and bridge 0000:00:04.0 above it leads elsewhere");
    allSay(0, "0000:05:00.0", "0000:05:00.0");
  }

  @Test
  @DisplayName("a BAR outside the windows of the root complex: likewise")
  void beyondTheRoot() throws IOException {
    Path resource = file("0000:06:00.0", "resource");
    List<String> lines = new ArrayList<>(Files.readAllLines(resource));
    lines.set(0, "0x0000070000000000 0x0000070000003fff 0x0000000000140204");
    Files.write(resource, lines);
    Path config = file("0000:00:04.0", "config");
    byte[] bytes = Files.readAllBytes(config);
    // The port leads there: a prefetchable window of 64-bit addresses.
    set(bytes, PREFETCHABLE_BASE, 0x01, 0, 0x01, 0, 0, 0x07, 0, 0, 0, 0x07, 0, 0);
    Files.write(config, bytes);
    allSay(
        2,
        "0000:06:00.0",
        "lies at [0x70000000000, 0x70000003fff], and no window of pci0000:00 leads there");
    allSay(0, "0000:04:00.0", "0000:04:00.0");
  }

  @Test
  @DisplayName("no MADT: assign and trace name the one processor that the models have")
  void noProcessors(@TempDir Path pc) throws IOException {
    DamagedTablesTest.copy(Shared.require("lab-captures/x86-vtd-intremap"), pc);
    Files.delete(pc.resolve("sys/firmware/acpi/tables/APIC"));
    Run assign = Run.on(pc.toString(), "assign", "0000:01:10.0", "--json");
    Run trace = Run.on(pc.toString(), "trace", "0000:01:10.0", "--json");
    assertEquals(0, assign.status(), assign::toString);
    assertEquals(0, trace.status(), trace::toString);
    Json.Node vector = Json.parse(assign.out()).get("vectors").list().getFirst();
    Json.Node interrupt = Json.parse(trace.out()).get("interrupt");
    assertEquals(0, interrupt.get("cpu").number());
    assertEquals(vector.get("cpu").number(), interrupt.get("cpu").number());
    assertEquals(vector.get("intid").number(), interrupt.get("intid").number());
  }

  @Test
  @DisplayName(
      "a function of device number 1 below a port that forwards no ARI numbers: it was captured, and so it answers")
  void severalDevices() throws IOException {
    Path devices = root.resolve("sys/bus/pci/devices");
    Path from = devices.resolve("0000:06:00.0").toRealPath();
    Path to = Files.createDirectory(from.resolveSibling("0000:06:01.0"));
    Files.copy(from.resolve("config"), to.resolve("config"));
    String moved =
        Files.readString(from.resolve("resource")).replace("0x000000001100", "0x000000001108");
    Files.writeString(to.resolve("resource"), moved);
    if (Files.isSymbolicLink(devices.resolve("0000:06:00.0"))) {
      Path link = Files.readSymbolicLink(devices.resolve("0000:06:00.0"));
      Files.createSymbolicLink(
          devices.resolve("0000:06:01.0"), link.resolveSibling("0000:06:01.0"));
    }
    allSay(0, "0000:06:01.0", "0000:06:01.0");
    allSay(0, "0000:06:00.0", "0000:06:00.0");
  }
}
