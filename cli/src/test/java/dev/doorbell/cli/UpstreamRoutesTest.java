package dev.doorbell.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A doorbell's address that a bridge or a peer takes for its own comes up to the IOMMU only where ACS sends it there.
/// The function is 0000:04:00.0 below the switch 0000:02:00.0, and its vectors go to 0x8000040.
class UpstreamRoutesTest {
  private static final String PORT = "0000:00:03.0/0000:02:00.0/0000:03:00.0";
  private static final String OTHER_PORT = "0000:00:03.0/0000:02:00.0/0000:03:01.0";
  private static final String OTHER_ROOT_PORT = "0000:00:02.0";
  private static final int AER = 0x100;
  private static final int ACS = 0x148;
  private static final int REDIRECT = 1 << 2;
  private static final int FORWARD = 1 << 4;

  @TempDir Path root;

  @BeforeEach
  void copy() throws IOException {
    Path sample = Path.of(Run.ITS);
    try (Stream<Path> all = Files.walk(sample)) {
      for (Path from : all.toList()) {
        Path target = root.resolve(sample.relativize(from).toString());
        if (Files.isSymbolicLink(from)) {
          Files.createSymbolicLink(target, Files.readSymbolicLink(from));
        } else if (Files.isDirectory(from)) {
          Files.createDirectories(target);
        } else {
          Files.write(target, Files.readAllBytes(from));
        }
      }
    }
  }

  @Test
  @DisplayName("each bridge's hop names the windows that were looked at")
  void named() {
    Run trace = trace(0);
    assertTrue(
        trace.out().contains("0x8000040 lies in no window of its ([0x10600000, 0x107fffff]"),
        trace.out());
  }

  @Test
  @DisplayName("R10: an address in the port's own window goes up by ACS Upstream Forwarding alone")
  void ownWindow() throws IOException {
    window(PORT);
    acs(PORT, FORWARD, true);
    assertTrue(trace(0).out().contains("ACS Upstream Forwarding sends it up"));
    acs(PORT, FORWARD, false);
    Run off = trace(1);
    assertTrue(
        off.out().contains("stops at 0000:03:00.0: 0x8000040 lies in its window"), off.out());
  }

  @Test
  @DisplayName(
      "R10: an address in the window of a switch's other port goes across where Request Redirect is off")
  void peerInSwitch() throws IOException {
    window(OTHER_PORT);
    acs(PORT, REDIRECT, true);
    assertEquals(0, trace(0).status());
    acs(PORT, REDIRECT, false);
    Run off = trace(1);
    assertTrue(
        off.out().contains("the peer 0000:03:01.0, not the root complex")
            && off.out().contains("0000:03:00.0 has ACS P2P Request Redirect off"),
        off.out());
  }

  @Test
  @DisplayName(
      "R10: whether a root complex hands a write across to another root port is not to be seen")
  void peerAtRoot() throws IOException {
    window(OTHER_ROOT_PORT);
    acs("0000:00:03.0", REDIRECT, true);
    assertEquals(0, trace(0).status());
    acs("0000:00:03.0", REDIRECT, false);
    Run off = trace(1);
    assertTrue(
        off.out().contains("cannot see") && off.out().contains("of its peer 0000:00:02.0"),
        off.out());
  }

  @Test
  @DisplayName(
      "R10: a dump of 256 bytes does not show whether ACS redirects, and a window that is not met needs none")
  void unseen() throws IOException {
    Path config = config(PORT);
    byte[] whole = Files.readAllBytes(config);
    Files.write(config, Arrays.copyOf(whole, 256));
    assertEquals(0, trace(0).status());
    window(OTHER_PORT);
    Run blind = trace(1);
    assertTrue(
        blind.out().contains("whether 0000:03:00.0 has ACS P2P Request Redirect on cannot be seen"),
        blind.out());
  }

  @Test
  @DisplayName(
      "dumps of 64 bytes: ids are those below PCI Express ports, which is said, and assign ends with exit 2")
  void sixtyFourBytes() throws IOException {
    try (Stream<Path> all = Files.walk(root.resolve("sys/devices"))) {
      for (Path config : all.filter(p -> p.endsWith("config")).toList()) {
        Files.write(config, Arrays.copyOf(Files.readAllBytes(config), 64));
      }
    }
    assertTrue(trace(0).out().contains("requester id 0x400 -> StreamID 0x400"));
    Run inspect = Run.on(root.toString(), "inspect");
    assertTrue(
        inspect.out().contains("0000:03:00.0 may be a conventional PCI bridge")
            && inspect.out().contains("requester ids of"),
        inspect.out());
    for (String[] more : new String[][] {{"assign"}, {"trace", "--vector", "0"}}) {
      String[] rest = Arrays.copyOfRange(more, 1, more.length + 1);
      rest[rest.length - 1] = "0000:04:00.0";
      Run run = Run.on(root.toString(), more[0], rest);
      assertEquals(2, run.status(), run.out());
      assertTrue(run.err().contains("whether 0000:04:00.0 has MSI or MSI-X cannot be seen"));
    }
  }

  private Run trace(int status) {
    Run run =
        Run.on(
            root.toString(),
            "trace",
            "0000:04:00.0",
            "--vector",
            "3",
            "--tables",
            root + "/oracle");
    assertEquals(status, run.status(), () -> run.out() + run.err());
    return run;
  }

  private Path config(String bridge) {
    return root.resolve("sys/devices/pci0000:00").resolve(bridge).resolve("config");
  }

  /// Opens a bridge's window at 0x8000000, 1 MiB.
  private void window(String bridge) throws IOException {
    edit(bridge, b -> b.putInt(0x20, 0x0800_0800));
  }

  /// Switches a service of the ACS capability, which is put behind AER where a port has none.
  private void acs(String bridge, int bit, boolean on) throws IOException {
    edit(
        bridge,
        b -> {
          b.putInt(AER, b.getInt(AER) & 0xf_ffff | ACS << 20);
          b.putInt(ACS, 0x1_000d);
          int control = b.getShort(ACS + 6);
          b.putInt(ACS + 4, 0x5f | (on ? control | bit : control & ~bit) << 16);
        });
  }

  private void edit(String bridge, Consumer<ByteBuffer> with) throws IOException {
    byte[] bytes = Files.readAllBytes(config(bridge));
    with.accept(ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN));
    Files.write(config(bridge), bytes);
  }
}
