package dev.doorbell.vmm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.testkit.OutsideTool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("the guest's device tree, read by the reader of captured machines and by dtc")
class GuestTreeTest {
  private static final byte[] TREE =
      GuestTree.of(
              new GuestTree.Choice(
                  AddressRange.ofSize(0x4000_0000L, 0x1000_0000L),
                  Optional.of(AddressRange.ofSize(0x4800_0000L, 0x1_2345)),
                  "console=ttyAMA0"))
          .finish();

  @Test
  @DisplayName("it describes memory, a GICv3 with ITS, and a host bridge whose messages go to it")
  void describesTheMachine(@TempDir Path root) throws IOException {
    Path file = root.resolve("sys/firmware/fdt");
    Files.createDirectories(file.getParent());
    Files.write(file, TREE);
    MachineDescription m = Firmware.read(Sysroot.open(root));
    assertEquals(List.of(), m.oddities());
    assertEquals(1, m.msiControllers().size());
    assertEquals(0x0809_0040L, m.msiControllers().getFirst().doorbell().orElseThrow());
    assertEquals(1, m.hostBridges().size());
  }

  @Test
  @DisplayName("dtc takes it without a word about its structure, and prints what was put in")
  void dtc(@TempDir Path folder) throws IOException, InterruptedException {
    OutsideTool dtc = OutsideTool.require("dtc");
    Path file = Files.write(folder.resolve("t.dtb"), TREE);
    OutsideTool.Result r = dtc.run(folder, "-I", "dtb", "-O", "dts", file.toString());
    assertEquals(0, r.status(), r.err());
    String text = r.out();
    for (String part :
        List.of(
            "msi-map = <0x00 0x02 0x00 0x100>",
            "bootargs = \"console=ttyAMA0\"",
            "linux,initrd-end = <0x00 0x48012345>",
            "interrupts = <0x00 0x01 0x04>")) {
      assertTrue(text.contains(part), part + " in " + text);
    }
  }
}
