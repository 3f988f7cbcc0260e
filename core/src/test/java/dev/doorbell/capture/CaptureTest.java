package dev.doorbell.capture;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.description.MachineDescription;
import dev.doorbell.doctor.Doctor;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.survey.Survey;
import dev.doorbell.testkit.ProjectRoot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("capture: a copy that every command reads as it reads the host")
class CaptureTest {
  @TempDir private Path folder = Path.of(".");

  private static MachineDescription read(Path root) {
    return Firmware.read(Sysroot.open(root));
  }

  private static String examined(Path root) {
    Sysroot sysroot = Sysroot.open(root);
    return Doctor.examine(sysroot, Survey.of(Firmware.read(sysroot)), List.of()).toString();
  }

  private CaptureReport capture(Path root) {
    return Capture.of(Sysroot.open(root), folder.resolve("out")).write(false);
  }

  private void write(String path, String text) throws IOException {
    Path file = folder.resolve("host").resolve(path).normalize();
    Path parent = file.getParent();
    if (parent != null) {
      Files.createDirectories(parent);
    }
    Files.writeString(file, text);
  }

  private Path host() {
    return folder.resolve("host");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"arm64-its-acpi-switch-sriov", "arm64-gicv2m-acpi", "arm64-2smmu-acpi", "two-its"})
  @DisplayName(
      "of each bundled sample: the machine description is equal, and so is what doctor says, anonymised or not")
  void samples(String name) {
    Path sample = ProjectRoot.path().resolve("samples").resolve(name);
    for (boolean anonymise : List.of(false, true)) {
      Path out = folder.resolve("out-" + anonymise);
      CaptureReport report = Capture.of(Sysroot.open(sample), out).write(anonymise);
      assertAll(
          () -> assertEquals(List.of(), report.unread()),
          () -> assertTrue(told(sample, anonymise).equals(told(out, anonymise)), "the description"),
          () -> assertEquals(examined(sample), examined(out)));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "APIC", "IORT", "MCFG", "VIOT", "XSDT", "RSDT", "DMAR", "IVRS", "RIMT", "RHCT", "HPET"
      })
  @DisplayName("every ACPI table that a description is made of is copied as it is")
  void tablesThatAreRead(String signature) throws IOException {
    write("sys/firmware/acpi/tables/" + signature, "the bytes of " + signature);
    CaptureReport report = capture(host());
    assertAll(
        () -> assertEquals(List.of(), report.unread()),
        () ->
            assertEquals(
                "the bytes of " + signature,
                Files.readString(
                    folder.resolve("out").resolve("sys/firmware/acpi/tables").resolve(signature))));
  }

  /// The description, without the bytes of configuration space where serial numbers in them are blanked.
  private static List<Object> told(Path root, boolean withoutConfig) {
    MachineDescription m = read(root);
    return List.of(
        m.iommus(),
        m.msiControllers(),
        m.hostBridges(),
        withoutConfig
            ? m.functions().stream().map(f -> List.of(f.sbdf(), f.resources(), f.driver())).toList()
            : m.functions(),
        m.memory(),
        m.reserved(),
        m.recorded(),
        m.oddities(),
        m.unseen());
  }

  @Test
  @DisplayName("a capture of a capture is the same again")
  void twice() {
    Path sample = ProjectRoot.path().resolve("samples/arm64-gicv2m-acpi");
    CaptureReport first = capture(sample);
    CaptureReport second =
        Capture.of(Sysroot.open(first.out()), folder.resolve("again")).write(false);
    assertAll(
        () -> assertEquals(first.files(), second.files()),
        () -> assertEquals(first.bytes(), second.bytes()),
        () -> assertEquals(read(first.out()), read(second.out())));
  }

  @Test
  @DisplayName("what could not be read is listed, and is unreadable in the capture too, not absent")
  void unread() throws IOException {
    write("proc/cmdline", "quiet");
    Files.createDirectories(host().resolve("proc/iomem"));
    CaptureReport report = capture(host());
    String why = "proc/iomem is not a regular file";
    assertAll(
        () -> assertEquals(List.of(new CaptureReport.NotRead("proc/iomem", why)), report.unread()),
        () -> assertFalse(Files.exists(report.out().resolve("proc/iomem"))),
        () ->
            assertTrue(
                read(report.out()).unseen().stream()
                    .anyMatch(u -> u.what().equals("physical address map") && u.why().equals(why))),
        () -> assertEquals(read(host()), read(report.out())));
  }

  @Test
  @DisplayName(
      "links are copied as links when they stay inside, and named when they lead out; nothing outside is read")
  void linksOut() throws IOException {
    write("../outside/config", "secret");
    write("sys/kernel/osrelease", "");
    String function = "sys/bus/pci/devices/0000:00:01.0";
    write(function + "/resource", "");
    Files.createSymbolicLink(
        host().resolve(function + "/config"), folder.resolve("outside/config"));
    Files.createSymbolicLink(
        host().resolve(function + "/driver"), Path.of("../../../../../../outside"));
    Files.createSymbolicLink(host().resolve(function + "/physfn"), Path.of("../0000:00:00.0"));
    CaptureReport report = capture(host());
    Path copy = report.out().resolve(function);
    assertAll(
        () -> assertFalse(Files.exists(copy.resolve("config"))),
        () -> assertFalse(Files.exists(copy.resolve("driver"), LinkOption.NOFOLLOW_LINKS)),
        () ->
            assertEquals(
                "../0000:00:00.0", Files.readSymbolicLink(copy.resolve("physfn")).toString()),
        () ->
            assertTrue(
                report.unread().stream().anyMatch(u -> u.path().endsWith("/driver")),
                report.unread()::toString));
  }

  @Test
  @DisplayName("sizes are bounded: a file beyond its limit is listed, not copied")
  void bounded() throws IOException {
    write("proc/cmdline", "x".repeat(Wanted.TEXT + 1));
    CaptureReport report = capture(host());
    assertEquals("proc/cmdline", report.unread().getFirst().path());
    assertFalse(Files.exists(report.out().resolve("proc/cmdline")));
  }

  @Test
  @DisplayName("vital product data, ROMs, resourceN and DMI serial numbers are never copied")
  void leftOut() throws IOException {
    write("sys/class/dmi/id/sys_vendor", "ACME\n");
    write("sys/class/dmi/id/product_serial", "S3CR3T\n");
    for (String name : List.of("vpd", "rom", "resource0", "remove", "config")) {
      write("sys/bus/pci/devices/0000:00:01.0/" + name, "S3CR3T");
    }
    CaptureReport report = capture(host());
    try (var files = Files.walk(report.out())) {
      assertEquals(
          List.of("config", "sys_vendor"),
          files
              .filter(Files::isRegularFile)
              .map(f -> f.getFileName().toString())
              .sorted()
              .toList());
    }
  }

  @Test
  @DisplayName(
      "a folder that is there and not empty is refused, and stays as it is; an empty one is used")
  void refused() throws IOException {
    write("proc/cmdline", "quiet");
    Path out = folder.resolve("out");
    Files.createDirectories(out);
    Files.writeString(out.resolve("mine"), "mine");
    OutputRefusedException e =
        assertThrows(OutputRefusedException.class, () -> Capture.of(Sysroot.open(host()), out));
    assertTrue(String.valueOf(e.getMessage()).contains(out.toString()));
    assertEquals("mine", Files.readString(out.resolve("mine")));
    Files.delete(out.resolve("mine"));
    assertEquals(1, capture(host()).files());
  }

  @Test
  @DisplayName(
      "a file, a missing parent, a capture under way and a root that is no root are refused")
  void refusedPlaces() throws IOException {
    write("proc/cmdline", "quiet");
    Sysroot root = Sysroot.open(host());
    Files.createDirectories(folder.resolve("busy.partial"));
    Path file = Files.writeString(folder.resolve("file"), "");
    Sysroot noRoot = Sysroot.open(file);
    assertAll(
        () -> assertThrows(OutputRefusedException.class, () -> Capture.of(root, file)),
        () ->
            assertThrows(
                OutputRefusedException.class, () -> Capture.of(root, folder.resolve("no/out"))),
        () ->
            assertThrows(
                OutputRefusedException.class, () -> Capture.of(root, folder.resolve("busy"))),
        () ->
            assertThrows(
                OutputRefusedException.class, () -> Capture.of(noRoot, folder.resolve("x"))),
        () ->
            assertTrue(
                assertThrows(OutputRefusedException.class, () -> Capture.of(root, Path.of("")))
                    .toString()
                    .contains("without a name")));
  }

  @Test
  @DisplayName("a failure half-way leaves nothing where the capture was to go, nor beside it")
  void halfWay() {
    Path out = folder.resolve("out");
    Output output = Output.at(out);
    List<Entry> entries =
        List.of(
            new Entry.Data("proc/cmdline", new byte[] {1}),
            new Entry.Link("sys/link", "../proc"),
            // A file cannot be made below a file.
            new Entry.Data("proc/cmdline/below", new byte[] {2}));
    CaptureFailedException e =
        assertThrows(CaptureFailedException.class, () -> output.write(entries));
    assertFalse(String.valueOf(e.getMessage()).contains("Exception"), e::getMessage);
    assertAll(
        () -> assertFalse(Files.exists(out)),
        () -> assertFalse(Files.exists(folder.resolve("out.partial"))));
  }

  @Test
  @DisplayName("a file system that makes no folders, such as procfs, is told in words")
  @EnabledOnOs(OS.LINUX)
  void noFolders() {
    Output output = Output.at(Path.of("/proc/doorbell"));
    CaptureFailedException e =
        assertThrows(CaptureFailedException.class, () -> output.write(List.of()));
    assertEquals(
        "cannot write the capture /proc/doorbell: /proc/doorbell.partial: no folder can be made in /proc",
        e.getMessage());
  }

  @Test
  @DisplayName("an entry whose path leads out of the capture is not written")
  void escapingEntry() {
    Output output = Output.at(folder.resolve("out"));
    List<Entry> entries = List.of(new Entry.Data("../escaped", new byte[] {1}));
    assertThrows(CaptureFailedException.class, () -> output.write(entries));
    assertFalse(Files.exists(folder.resolve("escaped")));
  }
}
