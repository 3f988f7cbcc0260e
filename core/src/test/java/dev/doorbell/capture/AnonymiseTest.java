package dev.doorbell.capture;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.testkit.ProjectRoot;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("capture --anonymise: no planted secret is left, and the machine is the same")
class AnonymiseTest {
  private static final String HOST = "zaphod-7";
  private static final String USER = "trillian";
  private static final String SERIAL = "SN8QX4471KK";
  private static final String MAC = "de:ad:be:ef:12:34";
  private static final String UUID = "1b4e28ba-2fa1-11d2-883f-0016d3cca427";
  private static final String CONTAINER = "3f9a1c0d5e7b".repeat(5) + "3f9a";
  private static final byte[] DSN = {0x53, 0x4e, 0x77, 0x11, (byte) 0x9a, 0x42, 0x5d, 0x6e};

  @TempDir private Path folder = Path.of(".");

  private Path host() {
    return folder.resolve("host");
  }

  private void write(String path, byte[] bytes) throws IOException {
    Path file = host().resolve(path);
    Path parent = file.getParent();
    if (parent != null) {
      Files.createDirectories(parent);
    }
    Files.deleteIfExists(file);
    Files.write(file, bytes);
  }

  private void write(String path, String text) throws IOException {
    write(path, text.getBytes(StandardCharsets.ISO_8859_1));
  }

  /// A copy of a sample, with secrets in every place that can have one.
  private void plant() throws IOException {
    Path sample = ProjectRoot.path().resolve("samples/arm64-its-acpi-switch-sriov");
    try (var files = Files.walk(sample)) {
      for (Path file :
          files.filter(f -> !Files.isDirectory(f, LinkOption.NOFOLLOW_LINKS)).toList()) {
        Path to = host().resolve(sample.relativize(file).toString());
        Path parent = to.getParent();
        if (parent != null) {
          Files.createDirectories(parent);
        }
        Files.copy(file, to, LinkOption.NOFOLLOW_LINKS);
      }
    }
    write("proc/sys/kernel/hostname", HOST + "\n");
    write(
        "etc/passwd",
        "root:x:0:0:root:/root:/bin/sh\n"
            + USER
            + ":x:1000:1000:Trillian McMillan,,,:/home/"
            + USER
            + ":/bin/sh\n");
    write("sys/class/dmi/id/product_serial", SERIAL + "\n");
    write("sys/class/dmi/id/product_uuid", UUID + "\n");
    write("sys/class/dmi/id/sys_vendor", "ACME\n");
    write("sys/class/dmi/id/bios_version", "1.0 for " + SERIAL + "\n");
    write("proc/cmdline", "root=UUID=" + UUID + " ip=10.1.2.3:::" + HOST + " console=ttyAMA0");
    write("proc/self/cgroup", "0::/docker/" + CONTAINER + "\n");
    write("proc/1/cgroup", "0::/system.slice/docker-" + CONTAINER + ".scope\n");
    write("proc/version", "Linux version 6.12.0 (" + USER + "@" + HOST + ") #1\n");
    String log = Files.readString(host().resolve("dmesg.txt"), StandardCharsets.ISO_8859_1);
    write(
        "dmesg.txt",
        log
            + "[1.0] igb 0000:01:00.0: added, mac "
            + MAC
            + "\n[1.1] usb 1-1: SerialNumber: "
            + SERIAL
            + "\n[1.2] systemd[1]: Hostname set to <"
            + HOST
            + ">.\n[1.3] loading /home/"
            + USER
            + "/x\n");
    byte[] table = Files.readAllBytes(host().resolve("sys/firmware/acpi/tables/IORT"));
    write("sys/firmware/acpi/tables/FACP", withSecret(table));
    serialNumber("sys/bus/pci/devices/0000:04:00.0/config");
  }

  /// Puts a serial number into the middle of a table, and makes its checksum right.
  private static byte[] withSecret(byte[] table) {
    byte[] copy = table.clone();
    System.arraycopy("FACP".getBytes(StandardCharsets.US_ASCII), 0, copy, 0, 4);
    byte[] secret = SERIAL.getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(secret, 0, copy, 40, secret.length);
    copy[9] -= sum(copy);
    return copy;
  }

  private static byte sum(byte[] bytes) {
    byte sum = 0;
    for (byte b : bytes) {
      sum += b;
    }
    return sum;
  }

  /// Appends a Device Serial Number capability to a function's extended list.
  private void serialNumber(String path) throws IOException {
    String canonical = Sysroot.open(host()).canonical(path).orElseThrow();
    byte[] config = Files.readAllBytes(host().resolve(canonical));
    byte[] whole = java.util.Arrays.copyOf(config, 4096);
    ByteBuffer words = ByteBuffer.wrap(whole).order(java.nio.ByteOrder.LITTLE_ENDIAN);
    int at = 0x100;
    while (words.getInt(at) >>> 20 != 0) {
      at = words.getInt(at) >>> 20;
    }
    words.putInt(at, words.getInt(at) == 0 ? 0x10003 : words.getInt(at) | 0xe00 << 20);
    int serial = words.getInt(at) == 0x10003 ? at : 0xe00;
    words.putInt(serial, 0x10003);
    words.put(serial + 4, DSN);
    write(canonical, whole);
  }

  private static boolean contains(byte[] bytes, byte[] secret) {
    for (int i = 0; i + secret.length <= bytes.length; i++) {
      if (java.util.Arrays.equals(bytes, i, i + secret.length, secret, 0, secret.length)) {
        return true;
      }
    }
    return false;
  }

  private static List<String> filesWith(Path root, byte[] secret) throws IOException {
    try (var files = Files.walk(root)) {
      List<String> out = new java.util.ArrayList<>();
      for (Path file :
          files.filter(f -> Files.isRegularFile(f, LinkOption.NOFOLLOW_LINKS)).toList()) {
        if (contains(Files.readAllBytes(file), secret)) {
          out.add(root.relativize(file).toString());
        }
      }
      return out;
    }
  }

  @Test
  @DisplayName(
      "planted names, serial numbers, addresses and UUIDs are in the plain capture and nowhere in the anonymised one")
  void planted() throws IOException {
    plant();
    Path plain = Capture.of(Sysroot.open(host()), folder.resolve("plain")).write(false).out();
    CaptureReport report = Capture.of(Sysroot.open(host()), folder.resolve("anon")).write(true);
    for (byte[] secret :
        List.of(
            HOST.getBytes(StandardCharsets.US_ASCII),
            USER.getBytes(StandardCharsets.US_ASCII),
            SERIAL.getBytes(StandardCharsets.US_ASCII),
            MAC.getBytes(StandardCharsets.US_ASCII),
            UUID.getBytes(StandardCharsets.US_ASCII),
            // A container's host name is this much of its id.
            CONTAINER.substring(0, 12).getBytes(StandardCharsets.US_ASCII),
            "10.1.2.3".getBytes(StandardCharsets.US_ASCII),
            DSN)) {
      String what = new String(secret, StandardCharsets.ISO_8859_1);
      assertFalse(filesWith(plain, secret).isEmpty(), what);
      assertEquals(List.of(), filesWith(report.out(), secret), what);
    }
    assertTrue(report.removed() >= 10, report::toString);
  }

  private static byte[] packed(String text) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(text.getBytes(StandardCharsets.ISO_8859_1));
    }
    return out.toByteArray();
  }

  private String configOf(Path capture) throws IOException {
    byte[] file = Files.readAllBytes(capture.resolve("proc/config.gz"));
    try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(file))) {
      return new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
    }
  }

  @Test
  @DisplayName(
      "names in the kernel's packed configuration are blanked, options stay; one without names stays byte by byte")
  void configuration() throws IOException {
    plant();
    String options =
        "CONFIG_VFIO=m\nCONFIG_DEFAULT_HOSTNAME=\"%s\"\nCONFIG_INITRAMFS_SOURCE=\"%s\"\n";
    write("proc/config.gz", packed(options.formatted(HOST, "/home/" + USER + "/i")));
    String after =
        configOf(Capture.of(Sysroot.open(host()), folder.resolve("a")).write(true).out());
    assertTrue(after.startsWith("CONFIG_VFIO=m\n"), after);
    assertFalse(after.contains(HOST) || after.contains(USER), after);
    byte[] clean = packed("CONFIG_VFIO=m\n");
    write("proc/config.gz", clean);
    Path same = Capture.of(Sysroot.open(host()), folder.resolve("b")).write(true).out();
    assertArrayEquals(clean, Files.readAllBytes(same.resolve("proc/config.gz")));
  }

  @Test
  @DisplayName(
      "the machine that is read from the anonymised capture has the same IOMMUs, groups, regions, functions and oddities")
  void sameMachine() throws IOException {
    plant();
    Path out = Capture.of(Sysroot.open(host()), folder.resolve("anon")).write(true).out();
    var before = Firmware.read(Sysroot.open(host()));
    var after = Firmware.read(Sysroot.open(out));
    assertAll(
        () -> assertEquals(before.iommus(), after.iommus()),
        () -> assertEquals(before.hostBridges(), after.hostBridges()),
        () -> assertEquals(before.reserved(), after.reserved()),
        () -> assertEquals(before.recorded().groups(), after.recorded().groups()),
        () -> assertEquals(before.oddities(), after.oddities()),
        () -> assertEquals(before.unseen(), after.unseen()),
        () ->
            assertEquals(
                before.functions().stream().map(f -> f.sbdf() + " " + f.driver()).toList(),
                after.functions().stream().map(f -> f.sbdf() + " " + f.driver()).toList()),
        () ->
            assertEquals(0, sum(Files.readAllBytes(out.resolve("sys/firmware/acpi/tables/FACP")))));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          root=UUID=1b4e28ba-2fa1-11d2-883f-0016d3cca427 ro | root=UUID=xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx ro
          eth0: 00:1b:21:aa:bb:cc up          | eth0: xx:xx:xx:xx:xx:xx up
          BOOTIF=01-00-1b-21-aa-bb-cc ro      | BOOTIF=xx-xx-xx-xx-xx-xx-xx ro
          [140] Device Serial Number 00-1b-21-ff-ff-aa-bb-cc | [140] Device Serial Number xx-xx-xx-xx-xx-xx-xx-xx
          [SN] Serial number: AB-12           | [SN] Serial number: xx-xx
          firewire guid 00:1b:21:ff:fe:aa:bb:cc | firewire guid xx:xx:xx:xx:xx:xx:xx:xx
          systemd.hostname=deepthought ro     | systemd.hostname=xxxxxxxxxxx ro
          0::/docker/3f9a1c0d5e7b3f9a1c0d5e7b3f9a1c0d5e7b3f9a1c0d5e7b3f9a1c0d5e7b3f9a | 0::/docker/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
          /kubepods-pod1b4e28ba_2fa1_11d2_883f_0016d3cca427.slice | /kubepods-podxxxxxxxx_xxxx_xxxx_xxxx_xxxxxxxxxxxx.slice
          pci 0000:01:00.0: [8086:1521]       | pci 0000:01:00.0: [8086:1521]
          smmu 9050000.smmu: ias 44-bit       | smmu 9050000.smmu: ias 44-bit
          usb 1-1: SerialNumber: AB12-9       | usb 1-1: SerialNumber: xxxx-x
          enx001122aabbcc: renamed            | enxxxxxxxxxxxxx: renamed
          nvme naa.5000c500a1b2c3d4           | nvme xxx.xxxxxxxxxxxxxxxx
          server 192.168.178.20 not           | server xxx.xxx.xxx.xx not
          link fe80::21b:21ff:feaa:bbcc up     | link xxxx::xxx:xxxx:xxxx:xxxx up
          ip 2001:db8:0:1:21b:21ff:feaa:bbcc,  | ip xxxx:xxx:x:x:xxx:xxxx:xxxx:xxxx,
          pci 2001:02:03.0: BAR 0              | pci 2001:02:03.0: BAR 0
          Serial: 8250/16550 driver, 4 ports   | Serial: 8250/16550 driver, 4 ports
          CONFIG_DEFAULT_HOSTNAME="deep-9"     | CONFIG_DEFAULT_HOSTNAME="xxxx-x"
          CONFIG_DEFAULT_HOSTNAME="(none)"     | CONFIG_DEFAULT_HOSTNAME="(none)"
          Linux version 6.1 (a@b.c) (gcc 12)  | Linux version 6.1 (x@x.x) (gcc 12)
          IOMMU ecap f00f4e cap d2008c222f0606 | IOMMU ecap f00f4e cap d2008c222f0606
          0x00000000fee00000 0x00000000feefffff msi | 0x00000000fee00000 0x00000000feefffff msi
          """)
  @DisplayName("each shape is blanked letter by letter, and what looks alike is left")
  void shapes(String before, String after) {
    assertEquals(after, new TextScrubber(new Secrets(List.of())).scrub(before, true));
  }

  @Test
  @DisplayName(
      "Devicetree 5.4: serial-number, MAC addresses and seeds are blanked in place; a damaged tree ends the walk")
  void tree() {
    byte[] strings =
        "serial-number\0local-mac-address\0model\0".getBytes(StandardCharsets.US_ASCII);
    ByteBuffer tree = ByteBuffer.allocate(256);
    tree.putInt(0, 0xd00dfeed).putInt(8, 40).putInt(12, 160);
    tree.position(40);
    tree.putInt(1).putInt(0);
    tree.putInt(3).putInt(8).putInt(0).put("SN12345\0".getBytes(StandardCharsets.US_ASCII));
    tree.putInt(3).putInt(6).putInt(14).put(new byte[] {2, 3, 4, 5, 6, 7, 0, 0});
    tree.putInt(3).putInt(6).putInt(32).put("board\0\0\0".getBytes(StandardCharsets.US_ASCII));
    tree.putInt(2).putInt(9);
    tree.position(160);
    tree.put(strings);
    byte[] bytes = tree.array();
    TextScrubber texts = new TextScrubber(new Secrets(List.of()));
    assertEquals(2, TreeScrubber.scrub(bytes, texts));
    String all = new String(bytes, StandardCharsets.ISO_8859_1);
    assertAll(
        () -> assertFalse(all.contains("SN12345")),
        () -> assertTrue(all.contains("xxxxxxx\0")),
        () -> assertTrue(all.contains("board\0")),
        () -> assertFalse(contains(bytes, new byte[] {2, 3, 4, 5, 6, 7})));
    for (int cut = 40; cut < 160; cut++) {
      byte[] damaged = java.util.Arrays.copyOf(bytes, cut);
      TreeScrubber.scrub(damaged, texts);
      ByteBuffer.wrap(bytes).putInt(cut - cut % 4, -1);
      TreeScrubber.scrub(bytes, texts);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "'ibm,loc-code', U78D2.001.WZS00AA-P1-C3, x",
    "'ibm,slot-location-code', U78D2.001.WZS00AA-P1-C3, x",
    "'ibm,partition-name', zaphod, x",
    "local-bd-address, abcdef, x",
    "board-serial, AB12, x",
    "asahi-efi-system-partition, 1b4e28ba-2fa1-11d2-883f-0016d3cca427, xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx",
    "ethaddr, 00:1b:21:aa:bb:cc, xx:xx:xx:xx:xx:xx",
    "compatible, pci8086-1521, pci8086-1521",
    "serial0, /pl011@9000000, /pl011@9000000"
  })
  @DisplayName(
      "what else in a tree identifies a board: location codes of POWER, names of partitions, UUIDs and addresses in texts")
  void treeProperties(String name, String value, String after) {
    byte[] text = (value + "\0").getBytes(StandardCharsets.US_ASCII);
    ByteBuffer tree = ByteBuffer.allocate(256);
    tree.putInt(0, 0xd00dfeed).putInt(8, 40).putInt(12, 160);
    tree.position(40);
    tree.putInt(1).putInt(0).putInt(3).putInt(text.length).putInt(0).put(text);
    tree.position(160);
    tree.put((name + "\0").getBytes(StandardCharsets.US_ASCII));
    byte[] bytes = tree.array();
    TreeScrubber.scrub(bytes, new TextScrubber(new Secrets(List.of())));
    String left = new String(bytes, 60, text.length - 1, StandardCharsets.US_ASCII);
    assertEquals(after.equals("x") ? "x".repeat(value.length()) : after, left);
    assertEquals(0, bytes[60 + value.length()], "a text keeps its end");
  }

  @Test
  @DisplayName("an lspci -xxxx dump loses its Device Serial Numbers row by row, and nothing else")
  void dump() {
    byte[] config = new byte[4096];
    config[6] = 0x10;
    config[0x34] = 0x40;
    config[0x40] = 0x10;
    ByteBuffer.wrap(config)
        .order(java.nio.ByteOrder.LITTLE_ENDIAN)
        .putInt(0x100, 0x10003)
        .put(0x104, DSN);
    StringBuilder text = new StringBuilder("04:00.0 Ethernet controller: X\n");
    for (int at = 0; at < config.length; at += 16) {
      text.append("%02x:".formatted(at));
      for (int i = 0; i < 16; i++) {
        text.append(" %02x".formatted(config[at + i]));
      }
      text.append('\n');
    }
    byte[] bytes = text.toString().getBytes(StandardCharsets.US_ASCII);
    assertEquals(1, DumpScrubber.scrub(bytes));
    String blanked = text.toString().replace("53 4e 77 11 9a 42 5d 6e", "00 00 00 00 00 00 00 00");
    assertEquals(blanked, new String(bytes, StandardCharsets.US_ASCII));
  }
}
