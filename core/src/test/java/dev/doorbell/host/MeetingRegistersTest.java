package dev.doorbell.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.machine.EmbeddedMachine;
import dev.doorbell.machine.UnusableDescription;
import dev.doorbell.testkit.ProjectRoot;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class MeetingRegistersTest {
  @Test
  @DisplayName("two IOMMUs at one address, as in damaged tables, are refused with both names")
  void iommus() {
    MachineDescription m =
        Firmware.read(Sysroot.open(ProjectRoot.path().resolve("samples").resolve("two-its")));
    IommuDescription.Smmuv3 one = (IommuDescription.Smmuv3) m.iommus().getFirst();
    List<IommuDescription> iommus = new ArrayList<>(m.iommus());
    iommus.add(
        new IommuDescription.Smmuv3(
            one.id() + "#2", one.window(), one.coherent(), one.abilities(), one.source()));
    MachineDescription twice =
        new MachineDescription(
            m.arch(),
            m.firmware(),
            iommus,
            m.msiControllers(),
            m.gic(),
            m.apic(),
            m.hostBridges(),
            m.functions(),
            m.memory(),
            m.reserved(),
            m.recorded(),
            m.oddities(),
            m.unseen());
    UnusableDescription e =
        assertThrows(UnusableDescription.class, () -> EmbeddedMachine.of(twice));
    assertEquals(List.of(one.id() + "#2"), e.refusal().objects());
    assertEquals(
        Optional.empty(), Optional.of(e.refusal().message()).filter(s -> !s.contains(one.id())));
  }
}
