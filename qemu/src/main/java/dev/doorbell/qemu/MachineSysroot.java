package dev.doorbell.qemu;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.pci.setup.PlacedFunction;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// A folder laid out as Linux would show QEMU's machine, so that the firmware reader that reads captures reads this machine too. Removed when
/// closed.
final class MachineSysroot implements AutoCloseable {
  private static final String FDT = "sys/firmware/fdt";
  private static final String TABLES = "sys/firmware/acpi/tables/";
  private static final String IO_MEMORY = "proc/iomem";
  private static final String FUNCTIONS = "sys/bus/pci/devices/";

  /// Flags of a line of sysfs `resource`: memory, and 64-bit prefetchable memory (Linux, include/linux/ioport.h).
  private static final long MEMORY = 0x200;

  private static final int BARS = 6;

  private final QemuProcess qemu;
  private final Path root;

  /// Makes the folder in the one that goes with QEMU, however this process ends.
  MachineSysroot(QemuProcess qemu) {
    this.qemu = qemu;
    try {
      root = Files.createTempDirectory(qemu.folder(), "sysroot-");
    } catch (IOException e) {
      throw qemu.unmade("a folder for the machine's tables", e);
    }
  }

  void deviceTree(byte[] blob) {
    put(FDT, blob);
  }

  /// @param tables by signature
  void acpi(Map<String, byte[]> tables) {
    tables.forEach((signature, table) -> put(TABLES + signature, table));
  }

  /// @param windows those through which CPUs reach the BARs of bus 0 and those below, PCI addresses being CPU addresses
  void ioMemory(AddressRange ram, List<AddressRange> windows) {
    StringBuilder out = new StringBuilder();
    out.append("%08x-%08x : System RAM\n".formatted(ram.start(), ram.last()));
    for (AddressRange w : windows) {
      out.append("%08x-%08x : PCI Bus 0000:00\n".formatted(w.start(), w.last()));
    }
    put(IO_MEMORY, out.toString().getBytes(StandardCharsets.US_ASCII));
  }

  void function(Sbdf sbdf, ConfigSpace config, List<PlacedFunction.Bar> bars) {
    ByteBuffer bytes = ByteBuffer.allocate(config.size()).order(ByteOrder.LITTLE_ENDIAN);
    for (int at = 0; at < config.size(); at += Integer.BYTES) {
      bytes.putInt(config.read32(at));
    }
    put(FUNCTIONS + sbdf + "/config", bytes.array());
    StringBuilder resource = new StringBuilder();
    for (int i = 0; i < BARS; i++) {
      int index = i;
      resource.append(
          bars.stream()
              .filter(b -> b.index() == index)
              .findFirst()
              .map(b -> line(b.range().start(), b.range().last(), MEMORY))
              .orElseGet(() -> line(0, 0, 0)));
    }
    put(FUNCTIONS + sbdf + "/resource", resource.toString().getBytes(StandardCharsets.US_ASCII));
  }

  /// @param pf whose VF it is
  void virtual(Sbdf vf, ConfigSpace config, List<PlacedFunction.Bar> bars, Sbdf pf) {
    function(vf, config, bars);
    try {
      Files.createSymbolicLink(
          root.resolve(FUNCTIONS + vf + "/physfn"), Path.of("..", pf.toString()));
    } catch (IOException e) {
      throw qemu.unmade("a link for the machine's tables", e);
    }
  }

  private static String line(long start, long last, long flags) {
    return "0x%016x 0x%016x 0x%016x\n".formatted(start, last, flags);
  }

  /// {@return the machine as our firmware reader understands what was put here}
  MachineDescription read() {
    return Firmware.read(Sysroot.open(root));
  }

  private void put(String path, byte[] content) {
    try {
      Path file = root.resolve(path);
      Files.createDirectories(file.getParent());
      Files.write(file, content);
    } catch (IOException e) {
      throw qemu.unmade("a file for the machine's tables", e);
    }
  }

  @Override
  public void close() {
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file :
          files.sorted(Comparator.reverseOrder()).collect(Collectors.toUnmodifiableList())) {
        Files.delete(file);
      }
    } catch (IOException | UncheckedIOException e) {
      // QEMU has ended, and its wrapper removes the place as a whole.
      return;
    }
  }
}
