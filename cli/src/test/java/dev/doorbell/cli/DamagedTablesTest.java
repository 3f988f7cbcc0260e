package dev.doorbell.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A machine whose IORT is cut: inspect goes on, and what needs the mapping does not say that there is none.
class DamagedTablesTest {
  private static final Path SAMPLE = Path.of("..", "samples", "arm64-its-acpi-switch-sriov");

  private static int run(StringWriter out, String... args) {
    PrintWriter writer = new PrintWriter(out);
    int status = Main.run(writer, writer, false, args);
    writer.flush();
    return status;
  }

  static void copy(Path to) throws IOException {
    copy(SAMPLE, to);
  }

  static void copy(Path capture, Path to) throws IOException {
    try (Stream<Path> all = Files.walk(capture)) {
      for (Path from : all.toList()) {
        Path target = to.resolve(capture.relativize(from).toString());
        if (Files.isSymbolicLink(from)) {
          Files.createSymbolicLink(target, Files.readSymbolicLink(from));
        } else if (Files.isDirectory(from)) {
          Files.createDirectories(target);
        } else {
          Files.copy(from, target);
        }
      }
    }
  }

  @Test
  @DisplayName(
      "a cut IORT: inspect exits 0 with the oddity, plan, assign and trace exit 2 with file and offset")
  void cutIort(@TempDir Path root) throws IOException {
    copy(root);
    Path iort = root.resolve("sys/firmware/acpi/tables/IORT");
    byte[] whole = Files.readAllBytes(iort);
    Files.delete(iort);
    Files.write(iort, Arrays.copyOf(whole, 100));
    StringWriter inspect = new StringWriter();
    assertEquals(0, run(inspect, "inspect", "--root", root.toString()));
    assertTrue(inspect.toString().contains("IORT+0x48"), inspect::toString);
    String unseen = inspect.toString().substring(inspect.toString().indexOf("Not to be seen"));
    assertTrue(unseen.contains("that the damaged IORT may have"), inspect::toString);
    for (String command : new String[] {"plan", "assign", "trace"}) {
      StringWriter out = new StringWriter();
      assertEquals(
          2, run(out, command, "0000:04:00.0", "--root", root.toString(), "--json"), out::toString);
      assertTrue(
          out.toString().contains("UnreadableTable") && out.toString().contains("IORT+0x"),
          out::toString);
    }
  }

  @Test
  @DisplayName(
      "a cut IORT and a port: no for a certain reason, and the conflict that may only be unread says so with file and offset")
  void certainAndDoubtful(@TempDir Path root) throws IOException {
    copy(root);
    Path iort = root.resolve("sys/firmware/acpi/tables/IORT");
    byte[] whole = Files.readAllBytes(iort);
    Files.delete(iort);
    Files.write(iort, Arrays.copyOf(whole, 100));
    Run plan = Run.on(root.toString(), "plan", "0000:00:02.0");
    assertEquals(1, plan.status(), plan::out);
    assertTrue(plan.out().contains("0000:00:02.0 is a bridge or port"), plan::out);
    assertTrue(plan.out().contains("but that may only be unread"), plan::out);
    assertTrue(plan.out().contains("acpi/tables/IORT+0x4"), plan::out);
  }

  @Test
  @DisplayName(
      "a cut IORT: doctor does not say no for want of what the table may have said, but that it may only be unread")
  void doctorDoubts(@TempDir Path root) throws IOException {
    copy(root);
    Path iort = root.resolve("sys/firmware/acpi/tables/IORT");
    byte[] whole = Files.readAllBytes(iort);
    Files.delete(iort);
    Files.write(iort, Arrays.copyOf(whole, 100));
    Run doctor = Run.on(root.toString(), "doctor", "0000:04:00.0");
    assertEquals(0, doctor.status(), doctor::out);
    assertTrue(doctor.out().startsWith("conditional"), doctor::out);
    assertTrue(doctor.out().contains("but that may only be unread"), doctor::out);
    assertTrue(doctor.out().contains("acpi/tables/IORT+0x4"), doctor::out);
    assertFalse(doctor.out().contains("names no IOMMU for"), doctor::out);
    assertTrue(
        doctor.out().contains("which IOMMU firmware names for these functions"), doctor::out);
  }

  @Test
  @DisplayName(
      "a configuration space that is cut amid its capabilities: MSI and MSI-X that cannot be seen are told as unseen, and not as absent")
  void cutCapabilities(@TempDir Path root) throws IOException {
    copy(root);
    Path config = root.resolve("sys/bus/pci/devices/0000:04:00.0/config");
    byte[] whole = Files.readAllBytes(config);
    assertTrue(whole[0x34] >= 0x40, "there is a list of capabilities");
    Path file = config.toRealPath();
    Files.delete(file);
    Files.write(file, Arrays.copyOf(whole, 0x41));
    Run json = Run.on(root.toString(), "inspect", "0000:04:00.0", "--json");
    assertEquals(0, json.status(), json::err);
    String flat = json.out().replaceAll("\\s+", "");
    assertTrue(flat.contains("\"msix\":null"), json::out);
    assertTrue(flat.contains("\"unseen\":[\"msi\",\"msix\"]"), json::out);
    assertTrue(json.out().contains("MSI or MSI-X of 0000:04:00.0"), json::out);
  }

  @Test
  @DisplayName(
      "a cut IORT: inspect shows the ids that depend on it as unseen, of which functions and why, and no difference to the kernel's record; a walk through captured tables ends with exit 2 and not with no IOMMU")
  void dependents(@TempDir Path root) throws IOException {
    copy(root);
    Path iort = root.resolve("sys/firmware/acpi/tables/IORT");
    byte[] whole = Files.readAllBytes(iort);
    Files.delete(iort);
    Files.write(iort, Arrays.copyOf(whole, 100));
    Run inspect = Run.on(root.toString(), "inspect");
    String line =
        inspect.out().lines().filter(l -> l.startsWith("  0000:04:00.0")).findFirst().orElseThrow();
    assertEquals(2, line.split("unseen", -1).length - 1, line);
    String unseen = inspect.out().substring(inspect.out().indexOf("Not to be seen"));
    assertTrue(unseen.contains("StreamID of 0000:00:00.0, "), unseen);
    assertTrue(unseen.contains("DeviceID of 0000:00:00.0, "), unseen);
    assertTrue(unseen.contains("IORT+0x4"), unseen);
    assertTrue(inspect.out().contains("firmware would make"), inspect.out());
    assertTrue(!inspect.out().contains("derived are []"), inspect.out());
    String json = Run.on(root.toString(), "inspect", "--json").out();
    assertTrue(json.contains("\"unseen\" : [ \"streamId\", \"msiDeviceId\" ]"), json);
    Run walk =
        Run.on(
            root.toString(),
            "trace",
            "0000:04:00.0",
            "--tables",
            root.resolve("oracle").toString());
    assertEquals(2, walk.status(), walk::toString);
    assertTrue(walk.err().contains("IORT+0x4"), walk::toString);
    Run off =
        Run.on(
            root.toString(),
            "trace",
            "0000:00:00.0",
            "--tables",
            root.resolve("oracle").toString());
    assertEquals(1, off.status(), "what stops before the mapping is needed is a no: " + off);
  }

  @Test
  @DisplayName(
      "an ITS group that names an ITS which the MADT has not: inspect, plan, assign and trace name the function, the ITS and the group's place")
  void absentIts(@TempDir Path root) throws IOException {
    copy(root);
    Path iort = root.resolve("sys/firmware/acpi/tables/IORT");
    byte[] bytes = Files.readAllBytes(iort);
    bytes[0x44] = 5;
    bytes[9] -= 5;
    Files.delete(iort);
    Files.write(iort, bytes);
    for (String command : new String[] {"inspect", "plan", "assign", "trace"}) {
      Run run = Run.on(root.toString(), command, "0000:04:00.0");
      assertEquals(command.equals("inspect") ? 0 : 1, run.status(), run::toString);
      String told = run.out() + run.err();
      for (String object : new String[] {"0000:04:00.0", "ITS 5", "IORT+0x30"}) {
        assertTrue(told.contains(object), command + " without " + object + "\n" + told);
      }
    }
    Run plan = Run.on(root.toString(), "plan", "0000:04:00.0", "--json");
    assertTrue(plan.out().contains("\"granted\" : 0"), plan.out());
    Run walk =
        Run.on(
            root.toString(),
            "trace",
            "0000:04:00.0",
            "--tables",
            root.resolve("oracle").toString());
    assertTrue(walk.out().contains("DeviceID 0x400"), walk.out());
    Run json = Run.on(root.toString(), "assign", "0000:04:00.0", "--json");
    assertTrue(json.out().contains("\"0000:04:00.0\", \"ITS 5\""), json.out());
  }

  @Test
  @DisplayName(
      "a wrong checksum hides no facts: with no IORT and a kernel that made no group the verdict is no (exit 1), not unusable input")
  void wrongChecksum(@TempDir Path root) throws IOException {
    copy(root);
    Path tables = root.resolve("sys/firmware/acpi/tables");
    Files.delete(tables.resolve("IORT"));
    delete(root.resolve("sys/kernel/iommu_groups"));
    Files.createDirectories(root.resolve("sys/kernel/iommu_groups"));
    byte[] madt = Files.readAllBytes(tables.resolve("APIC"));
    madt[9]++;
    Files.delete(tables.resolve("APIC"));
    Files.write(tables.resolve("APIC"), madt);
    StringWriter inspect = new StringWriter();
    assertEquals(0, run(inspect, "inspect", "--root", root.toString()));
    assertTrue(inspect.toString().contains("APIC+0x9"), inspect::toString);
    for (String command : new String[] {"plan", "assign"}) {
      StringWriter out = new StringWriter();
      assertEquals(1, run(out, command, "0000:04:00.0", "--root", root.toString()), out::toString);
      assertTrue(out.toString().contains("no IOMMU"), out::toString);
    }
  }

  @Test
  @DisplayName(
      "what a capture lacks is no verdict: exit 2 without firmware, without the IORT, whether groups were captured or not, without the MADT")
  void notInCapture(@TempDir Path root) throws IOException {
    copy(root);
    Path tables = root.resolve("sys/firmware/acpi/tables");
    Path madt = tables.resolve("APIC");
    byte[] kept = Files.readAllBytes(madt);
    Files.delete(madt);
    refusedAsNotInCapture(root, "there is no table APIC");

    Files.write(madt, kept);
    Files.delete(tables.resolve("IORT"));
    refusedAsNotInCapture(root, "there is no table IORT");

    delete(root.resolve("sys/kernel/iommu_groups"));
    refusedAsNotInCapture(root, "there is no table IORT");

    delete(tables);
    refusedAsNotInCapture(root, "there is neither a readable table");
  }

  @Test
  @DisplayName(
      "one certain reason is a verdict: where the kernel found no IOMMU the MADT that lacks does not matter")
  void certainReason(@TempDir Path root) throws IOException {
    copy(root);
    Path tables = root.resolve("sys/firmware/acpi/tables");
    delete(root.resolve("sys/kernel/iommu_groups"));
    Files.createDirectories(root.resolve("sys/kernel/iommu_groups"));
    Files.delete(tables.resolve("IORT"));
    Files.delete(tables.resolve("APIC"));
    StringWriter out = new StringWriter();
    assertEquals(1, run(out, "plan", "0000:04:00.0", "--root", root.toString()), out::toString);
    assertTrue(out.toString().contains("no IOMMU"), out::toString);
  }

  @Test
  @DisplayName(
      "an empty MADT: a walk through captured tables to an address that only the MADT explains ends with exit 2 and its place")
  void emptyMadt(@TempDir Path root) throws IOException {
    copy(root);
    Path madt = root.resolve("sys/firmware/acpi/tables/APIC");
    Files.delete(madt);
    Files.createFile(madt);
    Run walk =
        Run.on(
            root.toString(),
            "trace",
            "0000:04:00.0",
            "--tables",
            root.resolve("oracle").toString());
    assertEquals(2, walk.status(), walk::toString);
    assertTrue(
        walk.err().contains("physical address 0x8090040") && walk.err().contains("APIC+0x0"),
        walk::toString);
  }

  @Test
  @DisplayName(
      "a function whose configuration space is not there does not keep another from being assigned")
  void strangerWithoutConfig(@TempDir Path root) throws IOException {
    copy(root);
    Files.delete(root.resolve("sys/bus/pci/devices/0000:06:00.0/config"));
    Run other = Run.on(root.toString(), "assign", "0000:04:00.0");
    assertEquals(0, other.status(), other::toString);
    assertTrue(other.out().contains("17 of 17 vectors arrived"), other.out());
    Run itself = Run.on(root.toString(), "assign", "0000:06:00.0");
    assertEquals(2, itself.status(), itself::toString);
    assertTrue(itself.err().contains("0000:06:00.0"), itself::toString);
  }

  private void refusedAsNotInCapture(Path root, String why) {
    for (String command : new String[] {"plan", "assign", "trace"}) {
      StringWriter out = new StringWriter();
      assertEquals(
          2, run(out, command, "0000:04:00.0", "--root", root.toString(), "--json"), out::toString);
      assertTrue(
          out.toString().contains("NotInCapture") && out.toString().contains(why), out::toString);
    }
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path p : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(p);
      }
    }
  }

  /// Bit 2 to 0 of the second word of an MSI-X capability name the BAR of its table.
  @ParameterizedTest(name = "{0}")
  @CsvSource({"a BAR in no window, true", "a BAR that cannot be, false"})
  @DisplayName(
      "an MSI-X table that nothing leads to: plan, assign and trace are refused with the BAR and the function, and not by a defect")
  void unreachableTable(String name, boolean moved, @TempDir Path root) throws IOException {
    copy(root);
    Path function = root.resolve("sys/bus/pci/devices/0000:04:00.0");
    if (moved) {
      Path resource = function.resolve("resource");
      Files.writeString(
          resource,
          Files.readString(resource)
              .replaceFirst("^0x[0-9a-f]+ 0x[0-9a-f]+", "0x0000005500000000 0x0000005500003fff"));
    } else {
      byte[] config = Files.readAllBytes(function.resolve("config"));
      int at = config[0x34] & 0xff;
      while (config[at] != 0x11) {
        at = config[at + 1] & 0xff;
      }
      config[at + 4] |= 7;
      Files.write(function.resolve("config"), config);
    }
    for (String line : new String[] {"plan", "assign", "trace --vector 0"}) {
      String[] words = (line + " 0000:04:00.0 --json --root " + root).split(" ");
      StringWriter out = new StringWriter();
      assertEquals(2, run(out, words), out::toString);
      assertTrue(
          out.toString().contains("\"UnusableDescription\"")
              && out.toString().contains("BAR " + (moved ? 0 : 7) + " of 0000:04:00.0"),
          out::toString);
    }
  }
}
