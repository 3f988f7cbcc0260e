package dev.doorbell.firmware;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.description.HostBridge;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.explain.Printable;
import dev.doorbell.testkit.ProjectRoot;
import dev.doorbell.testkit.Property;
import dev.doorbell.testkit.SeededRandom;
import dev.doorbell.testkit.Shared;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName(
    "Hostile input: any bytes are read without an exception, a hang, or memory without bound")
class HostileInputTest {
  private static final Duration NO_HANG = Duration.ofMinutes(5);
  private static final String TABLES = "sys/firmware/acpi/tables/";
  private static final List<String> NAMES =
      List.of("APIC", "IORT", "MCFG", "VIOT", "DMAR", "IVRS", "RIMT");

  @TempDir Path folder;

  /// {@return bytes with up to eight faults of the kinds that flash, editors and attackers make}
  private static byte[] spoiled(byte[] original, SeededRandom r) {
    byte[] b = original.clone();
    for (int faults = r.between(1, 8); faults > 0 && b.length > 0; faults--) {
      int at = r.below(b.length);
      switch (r.below(8)) {
        case 0 -> b[at] ^= (byte) (1 << r.below(8));
        case 1 -> b[at] = (byte) r.bits(8);
        case 2 -> b = Arrays.copyOf(b, at);
        case 3 ->
            Arrays.fill(
                b,
                at,
                Math.min(b.length, at + r.between(1, 64)),
                (byte) (r.nextBoolean() ? 0 : 0xff));
        case 4 -> System.arraycopy(b, r.below(b.length), b, at, 0);
        case 5 -> {
          int from = r.below(b.length);
          int count = Math.min(r.between(1, 64), b.length - Math.max(at, from));
          System.arraycopy(b, from, b, at, count);
        }
        case 6 -> {
          long value = r.anyMagnitude();
          for (int i = 0; i < 4 && at + i < b.length; i++) {
            b[at + i] = (byte) (value >>> 8 * i);
          }
        }
        default -> b = Arrays.copyOf(b, b.length + r.between(1, 256));
      }
    }
    return b;
  }

  private static List<Path> tableFolders() throws IOException {
    List<Path> out = new ArrayList<>();
    out.add(ProjectRoot.path().resolve("samples/two-its").resolve(TABLES));
    out.add(ProjectRoot.path().resolve("samples/arm64-2smmu-acpi").resolve(TABLES));
    if (Shared.has("captures/arm64")) {
      try (Stream<Path> all = Files.list(Shared.require("captures/arm64"))) {
        all.map(p -> p.resolve(TABLES)).filter(Files::isDirectory).sorted().forEach(out::add);
      }
      out.add(Shared.require("lab-captures/arm64-virtio-iommu-acpi/" + TABLES));
      try (Stream<Path> all = Files.list(Shared.require("captures/x86"))) {
        all.map(p -> p.resolve(TABLES)).filter(Files::isDirectory).sorted().forEach(out::add);
      }
    }
    return out;
  }

  private int read;
  private int odd;
  private int stillTold;

  /// What a description promises whatever it was read from.
  private void sound(MachineDescription m) {
    read++;
    odd += m.oddities().isEmpty() ? 0 : 1;
    stillTold += m.hostBridges().isEmpty() && m.memory().isEmpty() ? 0 : 1;
    assertTrue(m.oddities().size() <= Findings.MAX + 1);
    assertTrue(m.unseen().size() <= Findings.MAX);
    m.oddities().forEach(o -> assertEquals(o.message(), Printable.of(o.message())));
    long ids = m.iommus().stream().map(i -> i.id()).distinct().count();
    assertEquals(m.iommus().size(), ids, "ids of IOMMUs are unique");
    for (HostBridge b : m.hostBridges()) {
      assertTrue(b.firstBus() <= b.lastBus() && b.lastBus() <= 255, b.toString());
      b.streams()
          .forEach(s -> assertTrue(m.iommu(s.iommu()).isPresent() && s.count() > 0, s.toString()));
      b.msis()
          .forEach(s ->
              s.controllers()
                  .forEach(c ->
                      assertTrue(m.msiController(c).isPresent() || isToldOf(m, c), s.toString())));
    }
  }

  /// A controller that is named and not described is an oddity; there may be too many of them to keep every one.
  private static boolean isToldOf(MachineDescription m, String controller) {
    return m.oddities().size() > Findings.MAX
        || m.oddities().stream().anyMatch(o -> o.message().contains("names " + controller + ","));
  }

  @Test
  @DisplayName("ACPI tables: fifteen hundred spoiled sets")
  void tables() throws IOException {
    List<Path> folders = tableFolders();
    List<byte[][]> sets = new ArrayList<>();
    for (Path from : folders) {
      byte[][] set = new byte[NAMES.size()][];
      for (int i = 0; i < set.length; i++) {
        Path file = from.resolve(NAMES.get(i));
        set[i] = Files.exists(file) ? Files.readAllBytes(file) : new byte[0];
      }
      sets.add(set);
    }
    assertTimeoutPreemptively(
        NO_HANG,
        () -> Property.check("spoiled ACPI tables", 1500, r -> readTables(r.pick(sets), r)));
    someWereOddAndSomeWereTold();
  }

  private void readTables(byte[][] set, SeededRandom r) throws IOException {
    Path root = Files.createDirectories(folder.resolve(TABLES));
    for (int i = 0; i < set.length; i++) {
      Path file = root.resolve(NAMES.get(i));
      if (set[i].length == 0) {
        Files.deleteIfExists(file);
      } else {
        Files.write(file, r.oneIn(3) ? set[i] : spoiled(set[i], r));
      }
    }
    sound(Firmware.read(Sysroot.open(folder)));
  }

  @Test
  @DisplayName("device trees: fifteen hundred spoiled ones")
  void trees() throws IOException {
    List<byte[]> trees = new ArrayList<>();
    TreeBuilder tree = TreeBuilder.machine();
    for (int i = 0; i < 16; i++) {
      tree.begin("memory@%x000".formatted(i)).cells("reg", 0, i << 12, 0, 0x1000).end();
    }
    trees.add(tree.end().build());
    if (Shared.has("captures/arm64")) {
      try (Stream<Path> all = Files.list(Shared.require("captures/arm64"))) {
        for (Path p :
            all.map(p -> p.resolve("sys/firmware/fdt")).filter(Files::exists).sorted().toList()) {
          trees.add(Files.readAllBytes(p));
        }
      }
    }
    Path file = Files.createDirectories(folder.resolve("sys/firmware")).resolve("fdt");
    assertTimeoutPreemptively(
        NO_HANG,
        () ->
            Property.check(
                "spoiled device trees",
                1500,
                r -> {
                  Files.write(file, spoiled(r.pick(trees), r));
                  sound(Firmware.read(Sysroot.open(folder)));
                }));
    someWereOddAndSomeWereTold();
  }

  @Test
  @DisplayName("sysfs and procfs files, and lspci dumps: three hundred spoiled sets")
  void texts() throws IOException {
    Path sample = ProjectRoot.path().resolve("samples/arm64-its-acpi-switch-sriov");
    List<String> names =
        List.of(
            "proc/iomem",
            "proc/interrupts",
            "dmesg.txt",
            "sys/kernel/iommu_groups/0/reserved_regions",
            "sys/kernel/iommu_groups/0/type");
    List<byte[]> originals = new ArrayList<>();
    for (String name : names) {
      byte[] bytes = Files.readAllBytes(sample.resolve(name));
      originals.add(Arrays.copyOf(bytes, Math.min(bytes.length, 4096)));
    }
    byte[] dump = dump().getBytes(StandardCharsets.ISO_8859_1);
    Path function = Files.createDirectories(folder.resolve("sys/bus/pci/devices/0000:01:00.0"));
    assertTimeoutPreemptively(
        NO_HANG,
        () ->
            Property.check(
                "spoiled texts",
                300,
                r -> {
                  for (int i = 0; i < names.size(); i++) {
                    Path file = folder.resolve(names.get(i));
                    Files.createDirectories(file.getParent());
                    Files.write(file, spoiled(originals.get(i), r));
                  }
                  Files.write(function.resolve("config"), r.bytes(r.below(5000)));
                  Files.write(
                      function.resolve("resource"),
                      spoiled(
                          "0x0 0x10 0x200\n".repeat(13).getBytes(StandardCharsets.ISO_8859_1), r));
                  Files.write(folder.resolve("lspci-xxxx.txt"), spoiled(dump, r));
                  sound(Firmware.read(Sysroot.open(folder)));
                }));
    someWereOddAndSomeWereTold();
  }

  /// The faults reach the readers, and the readers do not give up on everything.
  private void someWereOddAndSomeWereTold() {
    if (System.getProperty("doorbell.seed", "").isEmpty()) {
      assertTrue(odd > read / 4, odd + " of " + read + " had an oddity");
      assertTrue(stillTold > read / 4, stillTold + " of " + read + " still told something");
    }
  }

  private static String dump() {
    StringBuilder out = new StringBuilder();
    for (int f = 0; f < 3; f++) {
      out.append("0000:02:00.%d Something: wholly made up\n".formatted(f));
      for (int row = 0; row < 256; row += 16) {
        out.append("%02x:%s\n".formatted(row, " a5".repeat(16)));
      }
      out.append('\n');
    }
    return out.toString();
  }

  @Test
  @DisplayName("id mappings in a circle end at the depth limit")
  void circle() throws IOException {
    Bytes b = new Bytes().u32(2, 48).u32(0);
    // A root complex whose ids lead to a component whose ids lead back to it.
    b.u8(2).u16(56).u8(0).u32(0, 1, 36).u64(0).u32(0, 0, 0);
    b.u32(0, 0xffff, 0, 104, 0);
    b.u8(2).u16(56).u8(0).u32(0, 1, 36).u64(0).u32(0, 1, 0);
    b.u32(0, 0xffff, 0, 48, 0);
    write(TABLES + "IORT", Bytes.table("IORT", 0, b));
    MachineDescription m = Firmware.read(Sysroot.open(folder));
    assertTrue(
        m.oddities().stream().anyMatch(o -> o.message().contains("in a circle")),
        m.oddities().toString());
  }

  @Test
  @DisplayName(
      "links: in a circle, out of the root, absolute, as text; none shows the machine that reads")
  void links() throws IOException {
    write("outside.txt", "secret\n".getBytes(StandardCharsets.US_ASCII));
    Path root = Files.createDirectories(folder.resolve("root/sys"));
    Path base = root.getParent();
    Files.createSymbolicLink(base.resolve("out"), Path.of("../outside.txt"));
    Files.createSymbolicLink(
        base.resolve("far"), Path.of("../../../../../../../../../../etc/passwd"));
    Files.createSymbolicLink(base.resolve("absolute"), Path.of("/etc/passwd"));
    Files.createSymbolicLink(base.resolve("circle"), Path.of("circle"));
    Files.createSymbolicLink(root.resolve("up"), Path.of("../sys/up2"));
    Files.createSymbolicLink(root.resolve("up2"), Path.of("up"));
    Files.writeString(base.resolve("inside.txt"), "yes");
    Files.createSymbolicLink(root.resolve("in"), Path.of("/inside.txt"));
    Files.createDirectories(root.resolve("real"));
    Files.writeString(root.resolve("real/file"), "text");
    Files.writeString(root.resolve("link"), "./real");
    Sysroot s = Sysroot.open(base);
    for (String name : List.of("out", "far", "absolute")) {
      String why = ((Contents.Unreadable) s.read(name, 100)).why();
      assertTrue(why.endsWith(", which is not in this folder"), why);
    }
    assertTrue(s.read("circle", 100) instanceof Contents.Unreadable);
    assertTrue(s.read("sys/up", 100) instanceof Contents.Unreadable);
    assertEquals("yes", s.text("sys/in", 100).orElseThrow());
    assertEquals("text", s.text("sys/link/file", 100).orElseThrow(), "a link kept as text");
    assertTrue(s.text("../outside.txt", 100).isEmpty());
  }

  @Test
  @DisplayName(
      "a file larger than its limit is not read, and that is not the same as not being there")
  void sizes() throws IOException {
    write("sys/firmware/fdt", new byte[17 * 1024 * 1024]);
    MachineDescription m = Firmware.read(Sysroot.open(folder));
    assertTrue(
        m.unseen().stream().anyMatch(u -> u.why().contains("larger than")), m.unseen().toString());
  }

  @Test
  @DisplayName(
      "only a root that is not there is an exception; an empty one is a machine of which nothing is seen")
  void roots() {
    NoSuchSysrootException e =
        assertThrows(NoSuchSysrootException.class, () -> Sysroot.open(folder.resolve("no-such")));
    assertTrue(e.getMessage().contains("no-such"));
    MachineDescription m = Firmware.read(Sysroot.open(folder));
    assertEquals(List.of(), m.functions());
    assertTrue(m.unseen().size() >= 4);
  }

  private void write(String path, byte[] bytes) throws IOException {
    Path file = folder.resolve(path);
    Files.createDirectories(file.getParent());
    Files.write(file, bytes);
  }
}
