package dev.doorbell.firmware;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.description.FunctionDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.pci.Sbdf;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("Sysroot: links stay inside, sizes have limits, and only regular files are read")
class SysrootTest {
  @TempDir Path folder;
  @TempDir Path outside;

  private Path put(String path, String text) throws IOException {
    Path file = folder.resolve(path);
    Files.createDirectories(file.getParent());
    return Files.writeString(file, text);
  }

  private void link(String from, String to) throws IOException {
    Path link = folder.resolve(from);
    Files.createDirectories(link.getParent());
    Files.createSymbolicLink(link, Path.of(to));
  }

  private Sysroot open() {
    return Sysroot.open(folder);
  }

  private static String why(Contents contents) {
    return assertInstanceOf(Contents.Unreadable.class, contents).why();
  }

  @Test
  @DisplayName("an absolute link begins at the root of the capture, and .. stops there")
  void inside() throws IOException {
    put("sys/a", "mine");
    link("sys/absolute", "/sys/a");
    link("sys/deep/up", "../../../../../../../sys/a");
    link("sys/out", Files.writeString(outside.resolve("file"), "theirs").toString());
    assertEquals(Optional.of("mine"), open().text("sys/absolute", 10));
    assertEquals(Optional.of("mine"), open().text("sys/deep/up", 10));
    assertEquals(Optional.of("sys/a"), open().canonical("sys/deep/up"));
    assertTrue(why(open().read("sys/out", 10_000)).contains("sys/out is a link to "));
    assertEquals(Optional.of("mine"), open().text("../../sys/a", 10));
  }

  @Test
  @DisplayName("links in a circle end, and are not taken for absent")
  void circles() throws IOException {
    link("sys/a", "b");
    link("sys/b", "a");
    link("sys/self", "self/self");
    assertEquals("sys/a leads through more than 40 links", why(open().read("sys/a", 10)));
    assertEquals("sys/self leads through more than 40 links", why(open().read("sys/self", 10)));
    assertTrue(open().exists("sys/a"));
    assertEquals(Optional.empty(), open().list("sys/a"));
  }

  @Test
  @DisplayName(
      "small files that hold a relative path are links, as archives without links store them")
  void linksInFiles() throws IOException {
    put("sys/real/x", "there");
    put("sys/one", "./real");
    put("sys/sub/two", "../real");
    put("sys/three", "real");
    assertEquals(Optional.of("there"), open().text("sys/one/x", 10));
    assertEquals(Optional.of("there"), open().text("sys/sub/two/x", 10));
    assertInstanceOf(Contents.Absent.class, open().read("sys/three/x", 10));
    assertEquals(Optional.of("sys/real"), open().canonical("sys/one"));
  }

  @Test
  @DisplayName("files around the sizes of buffers are read whole; so is one that says it is empty")
  void wholeFiles() throws IOException {
    for (int bytes : new int[] {0, 1, 8191, 8192, 8193, 16384, 16385, 300_000}) {
      String text = "0123456789abcdef".repeat(bytes / 16 + 1).substring(0, bytes);
      put("sys/file", text);
      assertEquals(Optional.of(text), open().text("sys/file", 400_000), bytes + " bytes");
      assertEquals(Optional.of(text), open().text("sys/file", bytes), "limit " + bytes);
    }
    // The kernel says 0 of each file of procfs.
    assertEquals(0, Files.size(Path.of("/proc/self/smaps")));
    String maps = Sysroot.open(Path.of("/proc/self")).text("smaps", 1 << 26).orElseThrow();
    assertTrue(maps.length() > 8193 && maps.endsWith("\n"), "bytes: " + maps.length());
    assertTrue(maps.lines().allMatch(l -> l.matches("[0-9a-f]+-[0-9a-f]+ .*|[A-Za-z_]+: .*")));
  }

  @Test
  @DisplayName(
      "a file of the limit's size is read whole, one byte more is unreadable; a sparse file of 4 GiB as well")
  void limits() throws IOException {
    put("sys/eight", "12345678");
    assertEquals(Optional.of("12345678"), open().text("sys/eight", 8));
    assertEquals(
        "sys/eight is larger than the 7 bytes that are read", why(open().read("sys/eight", 7)));
    Path huge = put("sys/firmware/acpi/tables/IORT", "IORT");
    try (var file = new java.io.RandomAccessFile(huge.toFile(), "rw")) {
      file.setLength(1L << 32);
    }
    MachineDescription m = Firmware.read(open());
    assertTrue(
        m.unseen().stream().anyMatch(u -> u.why().contains("is larger than the 4194304 bytes")),
        m.unseen()::toString);
  }

  @Test
  @DisplayName(
      "what is no regular file is never opened: folders and sockets in the place of tables")
  void irregular() throws IOException {
    Path tables = Files.createDirectories(folder.resolve("sys/firmware/acpi/tables"));
    Files.createDirectories(tables.resolve("APIC"));
    try (ServerSocketChannel socket = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      socket.bind(UnixDomainSocketAddress.of(tables.resolve("IORT")));
      assertEquals(
          "sys/firmware/acpi/tables/IORT is not a regular file",
          why(open().read("sys/firmware/acpi/tables/IORT", 10)));
      MachineDescription m = Firmware.read(open());
      for (String name : List.of("APIC", "IORT")) {
        assertTrue(
            m.unseen().stream().anyMatch(u -> u.what().equals("table " + name)),
            m.unseen()::toString);
      }
    }
    assertThrows(NoSuchSysrootException.class, () -> Sysroot.open(folder.resolve("gone")));
  }

  @Test
  @DisplayName("a folder of bare tables is one only without sys and proc")
  void shapes() throws IOException {
    put("APIC", "x");
    assertEquals(Sysroot.Shape.TABLES, open().shape());
    put("proc/cpuinfo", "");
    assertEquals(Sysroot.Shape.ROOT, open().shape());
    assertEquals(Sysroot.Shape.FILE, Sysroot.open(folder.resolve("APIC")).shape());
  }

  @Test
  @DisplayName("what unread.txt names was there and is unreadable, and is among its folder's names")
  void unread() throws IOException {
    put("sys/a", "x");
    put("unread.txt", "sys/secret\tPermission denied\n/sys/other\tEIO\nno tab\n");
    assertEquals("Permission denied", why(open().read("sys/secret", 10)));
    assertEquals("EIO", why(open().read("sys/other", 10)));
    assertEquals(Optional.of(List.of("a", "other", "secret")), open().list("sys"));
    assertInstanceOf(Contents.Absent.class, open().read("no tab", 10));
    for (int i = 0; i < 100; i++) {
      put("many/%02d".formatted(i), "");
    }
    assertEquals(100, open().list("many").orElseThrow().size());
  }

  @Test
  @DisplayName("proc/iomem without privilege shows zeros: no map, which is not an empty one")
  void zeros() throws IOException {
    put("proc/iomem", "00000000-00000000 : System RAM\n  00000000-00000000 : Kernel code\n");
    MachineDescription m = Firmware.read(open());
    assertEquals(List.of(), m.memory());
    assertTrue(
        m.unseen().stream().anyMatch(u -> u.why().contains("was read without privilege")),
        m.unseen()::toString);
  }

  private static String resource(int lines) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < lines; i++) {
      text.append("0x%016x 0x%016x 0x200%n".formatted(0x1000L * i, 0x1000L * i + 0xfff));
    }
    return text.toString();
  }

  @Test
  @DisplayName(
      "sys/devices alone: functions below root buses; resource has BARs, ROM and VF BARs, and then windows")
  void functions() throws IOException {
    String port = "sys/devices/platform/pci/0000:00:01.0";
    String root = "sys/devices/pci0000:00/0000:00:01.0";
    put(root + "/config", "c".repeat(64));
    put(root + "/resource", resource(11));
    put(root + "/0000:01:00.0/config", "c".repeat(64));
    put(root + "/0000:01:00.0/resource", resource(17));
    put(port + "/config", "c".repeat(64));
    MachineDescription m = Firmware.read(open());
    assertEquals(
        List.of("0000:00:01.0", "0000:01:00.0"),
        m.functions().stream().map(f -> f.sbdf().toString()).toList());
    assertEquals(7, m.function(Sbdf.parse("0000:00:01.0")).orElseThrow().resources().size());
    List<FunctionDescription.Bar> bars =
        m.function(Sbdf.parse("0000:01:00.0")).orElseThrow().resources();
    assertEquals(13, bars.size());
    assertEquals(12, bars.getLast().index());
  }

  @Test
  @DisplayName("a root that cannot be opened is told in words, never by an exception's name")
  void unopenable() throws IOException {
    Path loop = folder.resolve("loop");
    Files.createSymbolicLink(loop, loop);
    NoSuchSysrootException e = assertThrows(NoSuchSysrootException.class, () -> Sysroot.open(loop));
    assertEquals(
        "cannot open %s: %s: Too many levels of symbolic links or unable to access attributes of symbolic link"
            .formatted(loop, loop),
        e.getMessage());
    assertEquals(
        "there is no folder or file " + folder.resolve("gone"),
        assertThrows(NoSuchSysrootException.class, () -> Sysroot.open(folder.resolve("gone")))
            .getMessage());
  }
}
