package dev.doorbell.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MachineDescription.Reservation;
import dev.doorbell.description.MachineDescription.StreamRange;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.testkit.Golden;
import dev.doorbell.testkit.Json;
import dev.doorbell.testkit.OutsideTool;
import dev.doorbell.testkit.Shared;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Each form goes to the program that takes it.
@DisplayName("plan --emit: printed forms and those who read them")
class EmitTest {
  private static final Path SCHEMA = Path.of("/usr/share/libvirt/schemas/domain.rng");
  private static final AddressRange WINDOW = new AddressRange(0x800_0000L, 0x80f_ffffL);
  private static final String[] TWO = {"--devices", "0000:01:00.0,0001:01:00.0", "--ram", "256M"};

  @TempDir Path folder;

  private static String emit(String form, String... more) {
    String[] args = new String[more.length + 2];
    System.arraycopy(more, 0, args, 0, more.length);
    args[more.length] = "--emit";
    args[more.length + 1] = form;
    Run run = Run.on(Run.TWO_ITS, "plan", args);
    assertAll(() -> assertEquals("", run.err()), () -> assertEquals(0, run.status()));
    return run.out();
  }

  private Path file(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text, UTF_8);
  }

  @ParameterizedTest
  @ValueSource(strings = {"qemu", "libvirt", "iort-rmr", "dts"})
  @DisplayName("the text, for two functions behind two ITSes")
  void text(String form) throws IOException {
    Golden.check("emit/" + form + ".txt", emit(form, TWO));
  }

  /// A guest of these options, stopped before its first instruction, and ended by its monitor.
  private OutsideTool.Result qemu(List<String> options) throws IOException, InterruptedException {
    OutsideTool.require("qemu-system-aarch64");
    List<String> all =
        new ArrayList<>(
            List.of(
                "-c",
                "echo quit | timeout 30 qemu-system-aarch64 -S -display none -nodefaults -monitor stdio \"$@\"",
                "qemu"));
    all.addAll(options);
    return OutsideTool.require("sh").run(folder, all.toArray(String[]::new));
  }

  private static List<String> options(String text) {
    String line =
        text.lines()
            .filter(l -> !l.startsWith("#"))
            .map(l -> l.endsWith("\\") ? l.substring(0, l.length() - 1) : l)
            .reduce("", String::concat);
    List<String> words = List.of(Pattern.compile(" +").split(line.strip()));
    assertEquals("qemu-system-aarch64", words.getFirst());
    return words.subList(1, words.size());
  }

  @Test
  @DisplayName("QEMU starts a guest with the printed board and memory")
  void qemuBoard() throws IOException, InterruptedException {
    List<String> options = options(emit("qemu", TWO));
    int devices = options.indexOf("-device");
    assertEquals(
        List.of("-machine", "virt,gic-version=3", "-m", "256M"), options.subList(0, devices));
    OutsideTool.Result result = qemu(options.subList(0, devices));
    assertAll(
        () -> assertEquals("", result.err()), () -> assertTrue(result.out().contains("(qemu)")));
  }

  @Test
  @DisplayName(
      "QEMU understands the printed vfio-pci devices: only the host's functions are missing")
  void qemuDevices() throws IOException, InterruptedException {
    OutsideTool.Result result = qemu(options(emit("qemu", TWO)));
    assertAll(
        () -> assertEquals(1, result.status()),
        () ->
            assertTrue(
                result.err().contains("/sys/bus/pci/devices/0000:01:00.0: no such host device"),
                result.err()));
  }

  @Test
  @DisplayName("the printed virtio-iommu line holds where the text says, and only there")
  void qemuRegion() throws IOException, InterruptedException {
    String device =
        emit("qemu", TWO)
            .lines()
            .filter(l -> l.contains("len-reserved-regions=1"))
            .map(l -> l.substring(l.indexOf('\'') + 1, l.lastIndexOf('\'')))
            .findFirst()
            .orElseThrow();
    OutsideTool.Result without =
        qemu(List.of("-machine", "virt,gic-version=3,its=off", "-device", device));
    assumeTrue(
        !without.err().contains("Property"),
        "skipped: this QEMU writes the property in another way: " + without.err());
    OutsideTool.Result with = qemu(List.of("-machine", "virt,gic-version=3", "-device", device));
    assertAll(
        () -> assertEquals("", without.err()),
        () -> assertTrue(with.err().contains("may not be set more than once"), with.err()));
  }

  @Test
  @DisplayName("libvirt's schema takes the domain, and not one with a wrong address")
  void libvirt() throws IOException, InterruptedException {
    OutsideTool lint = OutsideTool.require("xmllint");
    assumeTrue(Files.exists(SCHEMA), "skipped: there is no " + SCHEMA);
    String text = emit("libvirt", TWO);
    Path good = file("good.xml", text);
    Path bad = file("bad.xml", text.replace("slot='0x08'", "slot='0x20'"));
    String[] check = {"--noout", "--relaxng", SCHEMA.toString()};
    assertAll(
        () -> assertEquals(0, lint.run(folder, with(check, good)).status()),
        () -> assertFalse(lint.run(folder, with(check, bad)).status() == 0));
  }

  private static String[] with(String[] arguments, Path last) {
    List<String> all = new ArrayList<>(List.of(arguments));
    all.add(last.toString());
    return all.toArray(String[]::new);
  }

  @Test
  @DisplayName("dtc compiles the tree without a warning, and our own reader finds RAM and region")
  void dts() throws IOException, InterruptedException {
    OutsideTool dtc = OutsideTool.require("dtc");
    Path source = file("guest.dts", emit("dts", TWO));
    Path root = Files.createDirectories(folder.resolve("root/sys/firmware"));
    OutsideTool.Result result =
        dtc.run(folder, "-Idts", "-Odtb", "-o", root.resolve("fdt").toString(), source.toString());
    assertAll(() -> assertEquals("", result.err()), () -> assertEquals(0, result.status()));
    MachineDescription machine = Firmware.read(Sysroot.open(folder.resolve("root")));
    assertAll(
        () -> assertEquals(List.of(), machine.oddities()),
        () ->
            assertEquals(
                List.of(AddressRange.ofSize(0x4000_0000L, 256L << 20)),
                machine.memory().stream().map(MachineDescription.Memory::range).toList()),
        () ->
            assertEquals(
                List.of(List.of(new Sbdf(0, 0, 8, 0)), List.of(new Sbdf(0, 0, 9, 0))),
                machine.reserved().stream().map(Reservation::functions).toList()),
        () -> assertRegions(machine, ReservedRegion.Kind.RESERVED));
  }

  private static void assertRegions(MachineDescription machine, ReservedRegion.Kind kind) {
    assertEquals(
        List.of(WINDOW, WINDOW), machine.reserved().stream().map(r -> r.region().range()).toList());
    machine.reserved().forEach(r -> assertEquals(kind, r.region().kind()));
  }

  @Test
  @DisplayName("iasl compiles the IORT, and our own reader finds the region and its StreamIDs")
  void iort() throws IOException, InterruptedException {
    OutsideTool iasl = OutsideTool.require("iasl");
    file("iort.asl", emit("iort-rmr", TWO));
    Path tables = Files.createDirectories(folder.resolve("tables"));
    OutsideTool.Result result = iasl.run(folder, "-G", "-p", "iort", "iort.asl");
    assertAll(
        () -> assertEquals(0, result.status(), result.out() + result.err()),
        () -> assertTrue(result.out().contains("0 Errors, 0 Warnings"), result.out()));
    Files.copy(folder.resolve("iort.aml"), tables.resolve("IORT"));
    MachineDescription machine = Firmware.read(Sysroot.open(tables));
    List<StreamRange> streams =
        machine.reserved().stream().flatMap(r -> r.streamIds().stream()).distinct().toList();
    assertAll(
        // There is no MADT beside it, so its ITS is not known; nothing else is odd.
        () ->
            assertEquals(
                List.of("the ITS group names ITS 0, which the MADT does not describe"),
                machine.oddities().stream().map(o -> o.message()).toList()),
        () ->
            assertEquals(
                List.of(new StreamRange(0x40, 0x40), new StreamRange(0x48, 0x48)), streams),
        () -> assertEquals(Optional.of("smmuv3@0x9050000"), machine.reserved().getFirst().iommu()),
        () -> machine.reserved().forEach(r -> assertEquals(WINDOW, r.region().range())),
        () ->
            machine
                .reserved()
                .forEach(r -> assertEquals(ReservedRegion.Kind.DIRECT, r.region().kind())));
  }

  @Test
  @DisplayName("with --json the plan's document has the text as a field")
  void json() {
    Run run = Run.on(Run.TWO_ITS, "plan", "--ram", "1G", "--emit", "dts", "--json");
    Json.Node document = Json.parse(run.out());
    assertAll(
        () -> assertEquals(0, run.status()),
        () -> assertEquals("0x8000000", document.get("window").get("start").text()),
        () -> assertTrue(document.get("emitted").text().startsWith("/dts-v1/;")),
        () ->
            assertFalse(
                Json.parse(Run.on(Run.TWO_ITS, "plan", "--json").out())
                    .names()
                    .contains("emitted")));
  }

  @Test
  @DisplayName("a plan that cannot work prints its conflicts on standard error and emits nothing")
  void verdictNo() {
    String[] bad = {
      "--ram",
      "0x8000000-0x8ffffff",
      "--window",
      "0x8000000-0x80fffff",
      "--emit",
      "libvirt",
      "--json"
    };
    Run run = Run.on(Run.TWO_ITS, "plan", Arrays.copyOf(bad, bad.length - 1));
    Run json = Run.on(Run.TWO_ITS, "plan", bad);
    Json.Node document = Json.parse(json.out());
    assertAll(
        () -> assertEquals(1, run.status()),
        () -> assertEquals("", run.out()),
        () -> assertTrue(run.err().contains("guest RAM [0x8000000, 0x8ffffff]"), run.err()),
        () -> assertTrue(run.err().contains("advice: "), run.err()),
        () -> assertEquals(1, json.status()),
        () -> assertTrue(document.names().contains("emitted")),
        () -> assertFalse(document.get("emitted").isPresent()),
        () -> assertFalse(document.get("conflicts").list().isEmpty()));
  }

  @ParameterizedTest
  @ValueSource(strings = {"qemu", "libvirt"})
  @DisplayName("a memory map that the virt board has not is refused, with what collides")
  void refused(String form) {
    refusal("RamNotExpressible", "guest RAM", form);
    refusal("RamNotExpressible", "starts at 0x80000000", form, "--ram", "0x80000000-0x8fffffff");
    refusal(
        "RamNotExpressible",
        "2 runs",
        form,
        "--ram",
        "0x40000000-0x4fffffff,0x80000000-0x8fffffff");
    refusal("RamNotExpressible", "4096 bytes", form, "--ram", "0x40000000-0x40000fff");
  }

  @Test
  @DisplayName("a window that is not of 64 KiB blocks is refused as a range of an RMR node")
  void narrowWindow() {
    refusal("WindowNotExpressible", "64 KiB", "iort-rmr", "--window", "0x8000000-0x8000fff");
  }

  @ParameterizedTest
  @ValueSource(strings = {"qemu", "libvirt", "iort-rmr", "dts"})
  @DisplayName("no form prints a guest of Arm's board for a machine that has none")
  void otherMachines(String form) {
    String pc = Shared.require("lab-captures").resolve("x86-vtd-intremap").toString();
    Run run = Run.on(pc, "plan", "--ram", "1G", "--emit", form, "--json");
    Json.Node error = Json.parse(run.out()).get("error");
    assertAll(
        () -> assertEquals(1, run.status()),
        () -> assertEquals("GuestNotExpressible", error.get("type").text()),
        () -> assertTrue(error.get("message").text().contains("x86"), run.out()));
  }

  private static void refusal(String type, String message, String form, String... more) {
    List<String> args = new ArrayList<>(List.of(more));
    args.addAll(List.of("--emit", form, "--json"));
    Run run = Run.on(Run.TWO_ITS, "plan", args.toArray(String[]::new));
    Json.Node error = Json.parse(run.out()).get("error");
    assertAll(
        () -> assertEquals(1, run.status()),
        () -> assertEquals(type, error.get("type").text()),
        () -> assertTrue(error.get("message").text().contains(message), run.out()),
        () -> assertFalse(error.get("objects").list().isEmpty()));
  }
}
