package dev.doorbell.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.testkit.Shared;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A machine with a virtio-iommu whose MADT is cut: what is behind the IOMMU is not known, and not absent.
class DamagedMadtTest {
  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> all = Files.walk(from)) {
      for (Path one : all.toList()) {
        Path target = to.resolve(from.relativize(one).toString());
        if (Files.isSymbolicLink(one)) {
          Files.createSymbolicLink(target, Files.readSymbolicLink(one));
        } else if (Files.isDirectory(one)) {
          Files.createDirectories(target);
        } else {
          Files.copy(one, target);
        }
      }
    }
  }

  @Test
  @DisplayName(
      "a cut MADT behind a virtio-iommu: inspect lists what it may have had as unseen, trace --tables and plan exit 2 with file and offset")
  void virtio(@TempDir Path root) throws IOException {
    copy(Shared.require("lab-captures/arm64-virtio-iommu-acpi"), root);
    Path madt = root.resolve("sys/firmware/acpi/tables/APIC");
    byte[] whole = Files.readAllBytes(madt);
    Files.delete(madt);
    Files.write(madt, Arrays.copyOf(whole, 60));
    Run inspect = Run.on(root.toString(), "inspect");
    assertEquals(0, inspect.status(), inspect::err);
    assertTrue(
        inspect
            .out()
            .contains("interrupt controllers and processors that the damaged MADT may have"),
        inspect::out);
    String function = "0000:00:03.0";
    for (Run run :
        new Run[] {
          Run.on(
              root.toString(),
              "trace",
              function,
              "--vector",
              "0",
              "--tables",
              root.resolve("oracle").toString()),
          Run.on(root.toString(), "plan", "0000:01:00.0")
        }) {
      assertEquals(2, run.status(), run::out);
      assertTrue(run.err().contains("sys/firmware/acpi/tables/APIC+0x"), run::err);
    }
  }
}
