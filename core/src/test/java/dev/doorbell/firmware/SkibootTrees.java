package dev.doorbell.firmware;

import dev.doorbell.description.MachineDescription;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;

/// Device trees that skiboot (as QEMU 7.2 brings it) hands to a kernel on QEMU's POWER machines: no functions, all bridges.
public final class SkibootTrees {
  private SkibootTrees() {}

  /// @param machine `powernv8` or `powernv10`
  /// @param folder an empty one
  public static MachineDescription read(String machine, Path folder) {
    String name = "skiboot-%s.dtb".formatted(machine);
    try (InputStream in = Objects.requireNonNull(SkibootTrees.class.getResourceAsStream(name))) {
      Path file = Files.createDirectories(folder.resolve("sys/firmware")).resolve("fdt");
      Files.write(file, in.readAllBytes());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return Firmware.read(Sysroot.open(folder));
  }
}
