package dev.doorbell.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.FunctionDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.explain.Source;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.machine.EmbeddedMachine;
import dev.doorbell.machine.UnusableDescription;
import dev.doorbell.pci.ConfigImage;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.testkit.ProjectRoot;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("BARs smaller than a page, as SD and USB controllers have")
class SmallBarsTest {
  private static final Sbdf NEW = Sbdf.parse("0000:00:1e.0");
  private static final int AT = 0x10a0_4400;
  private static final int BAR0 = 0x10;

  private static byte[] config() {
    byte[] bytes = new byte[256];
    byte[] header = {0x36, 0x1b, 0x01, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x20, 0x03, 0x0c};
    System.arraycopy(header, 0, bytes, 0, header.length);
    for (int i = 0; i < Integer.BYTES; i++) {
      bytes[BAR0 + i] = (byte) (AT >>> Byte.SIZE * i);
    }
    return bytes;
  }

  private static MachineDescription with(List<FunctionDescription.Bar> resources) {
    MachineDescription m =
        Firmware.read(Sysroot.open(ProjectRoot.path().resolve("samples").resolve("two-its")));
    List<FunctionDescription> functions = new ArrayList<>(m.functions());
    functions.add(
        new FunctionDescription(
            NEW,
            ConfigImage.of(config(), "test"),
            resources,
            Optional.empty(),
            Optional.empty(),
            OptionalInt.empty(),
            false,
            Source.rule("test")));
    functions.sort(Comparator.comparing(FunctionDescription::sbdf));
    return new MachineDescription(
        m.arch(),
        m.firmware(),
        m.iommus(),
        m.msiControllers(),
        m.gic(),
        m.apic(),
        m.hostBridges(),
        functions,
        m.memory(),
        m.reserved(),
        m.recorded(),
        m.oddities(),
        m.unseen());
  }

  @Test
  @DisplayName("a BAR of unknown size that lies within a page is modelled where it lies")
  void guessed() {
    Host host = Host.start(EmbeddedMachine.of(with(List.of())));
    assertEquals(AT, host.machine().config(NEW).read32(BAR0));
  }

  @Test
  @DisplayName("a BAR that its recorded size does not fit is refused with the function's name")
  void misplaced() {
    MachineDescription m =
        with(List.of(new FunctionDescription.Bar(0, AddressRange.ofSize(AT, 0x1000), false)));
    UnusableDescription e = assertThrows(UnusableDescription.class, () -> EmbeddedMachine.of(m));
    assertTrue(e.getMessage().contains(NEW.toString()), e::getMessage);
  }
}
