package dev.doorbell.firmware;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.description.MachineDescription;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("RISC-V device trees that name what cannot be")
class RiscvTreesTest {
  private static final long SUPERVISOR = 9;

  @TempDir Path folder;

  private MachineDescription read(TreeBuilder tree) throws IOException {
    Path file = Files.createDirectories(folder.resolve("sys/firmware")).resolve("fdt");
    Files.write(file, tree.end().build());
    return Firmware.read(Sysroot.open(folder));
  }

  private static OptionalInt stream(MachineDescription m, int rid) {
    return m.hostBridges().getFirst().streams().stream()
        .map(s -> s.streamOf(rid))
        .filter(OptionalInt::isPresent)
        .findFirst()
        .orElse(OptionalInt.empty());
  }

  @Test
  @DisplayName(
      "RISC-V IOMMU 1.0, 2.1: a device_id has 24 bits, and a map that leads past them is told and cut")
  void wideDeviceIds() throws IOException {
    for (long first : new long[] {0x100_0000, 0xff_ff80}) {
      MachineDescription m =
          read(
              TreeBuilder.machine()
                  .begin("cpus")
                  .begin("cpu@0")
                  .text("riscv,isa", "rv64imafdc")
                  .end()
                  .end()
                  .begin("iommu@3010000")
                  .text("compatible", "riscv,iommu")
                  .cells("reg", 0, 0x301_0000, 0, 0x1000)
                  .cells("#iommu-cells", 1)
                  .cells("phandle", 5)
                  .end()
                  .begin("pci@30000000")
                  .text("device_type", "pci")
                  .cells("#address-cells", 3)
                  .cells("#size-cells", 2)
                  .cells("iommu-map", 0, 5, first, 0x1_0000)
                  .end());
      boolean some = first < 0x100_0000;
      assertEquals(some ? OptionalInt.of(0xff_ffff) : OptionalInt.empty(), stream(m, 0x7f));
      assertEquals(OptionalInt.empty(), stream(m, 0x80));
      assertEquals(
          List.of(
              "an id mapping of pci0000:00 leads to device_ids 0x%x to 0x%x of riscv-iommu@0x3010000, which have 24 bits"
                  .formatted(first, first + 0xffff)),
          m.oddities().stream().map(o -> o.message()).toList());
    }
  }

  @Test
  @DisplayName(
      "riscv,imsics: one whose property names no whole parent has no files, and is not there unseen")
  void noFiles() throws IOException {
    MachineDescription m =
        read(
            TreeBuilder.machine()
                .begin("imsics@28000000")
                .text("compatible", "riscv,imsics")
                .cells("reg", 0, 0x2800_0000, 0, 0x1000)
                .cells("interrupts-extended", SUPERVISOR)
                .end());
    assertEquals(List.of(), m.msiControllers());
    assertEquals(
        List.of("interrupts-extended and reg of /imsics@28000000 give no hart an interrupt file"),
        m.oddities().stream().map(o -> o.message()).toList());
    assertTrue(m.oddities().getFirst().mayHideFacts());
  }
}
