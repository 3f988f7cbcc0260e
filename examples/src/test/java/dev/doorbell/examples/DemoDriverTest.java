package dev.doorbell.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.doorbell.address.Iova;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.host.Host;
import dev.doorbell.host.HostVfio;
import dev.doorbell.iommu.NotIsolated;
import dev.doorbell.machine.DemoEndpoint;
import dev.doorbell.machine.EmbeddedMachine;
import dev.doorbell.machine.Machine;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.IrqType;
import dev.doorbell.vfio.Vfio;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("the example on the embedded machine")
class DemoDriverTest {
  private final ByteArrayOutputStream said = new ByteArrayOutputStream();
  private final PrintStream out = new PrintStream(said, true, StandardCharsets.UTF_8);

  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "arm64-its-acpi-switch-sriov, its@0x8080000",
    "arm64-2smmu-acpi, its@0x8080000",
    "two-its, its@0x30040000"
  })
  @DisplayName(
      "every vector arrives once, the device copies; the need is told before memory is mapped")
  void runs(String sample, String doorbell) throws InterruptedException {
    assertEquals(8, OnModels.run(sample(sample), out));
    List<String> lines = said.toString(StandardCharsets.UTF_8).lines().toList();
    assertEquals(
        "needed for messages: MsiWindowNeed[doorbells=[%s], pages=1, bytes=4096, alignmentOrder=12, exposing=[]]"
            .formatted(doorbell),
        lines.get(0));
    assertEquals("kept free for them: Optional[[0x8000000, 0x80fffff]]", lines.get(1));
    assertEquals("memory of the device: [0x0, 0x1fff]", lines.get(2));
    assertEquals("8 vectors arrived, 4096 bytes copied", lines.get(3));
  }

  @Test
  @DisplayName(
      "a program that accepts isolated interrupts only is refused behind a GICv2m frame, before it says a word")
  void notIsolated() {
    assertThrows(NotIsolated.class, () -> OnModels.run(sample("arm64-gicv2m-acpi"), out));
    assertEquals(0, said.size());
  }

  @Test
  @DisplayName("a device that raises another vector, or copies other bytes, is found out")
  void lyingDevice() {
    for (Lie lie : Lie.values()) {
      IllegalStateException e =
          assertThrows(IllegalStateException.class, () -> runOn(lie), lie::toString);
      assertEquals("the device " + lie.found, e.getMessage());
    }
  }

  private void runOn(Lie lie) throws InterruptedException {
    MachineDescription captured =
        Firmware.read(Sysroot.open(sample("arm64-its-acpi-switch-sriov")));
    Sbdf place = Sbdf.parse("0000:00:1f.0");
    try (Machine machine = EmbeddedMachine.of(DemoEndpoint.plug(captured, place, 8));
        Vfio vfio = HostVfio.open(Host.start(machine))) {
      new DemoDriver(vfio, bar -> new Lying(new DemoProgram(bar), lie), out).run(place);
    }
  }

  private enum Lie {
    NEIGHBOUR("has signalled vector 0 0 times"),
    STRAY("has signalled vector 7 2 times"),
    SHORT_COPY("has copied something else");

    final String found;

    Lie(String found) {
      this.found = found;
    }
  }

  /// A device with a defect.
  private record Lying(DeviceProgram honest, Lie lie) implements DeviceProgram {
    @Override
    public IrqType irqs() {
      return honest.irqs();
    }

    @Override
    public int vectors() {
      return honest.vectors();
    }

    @Override
    public void ring(int vector) {
      honest.ring(lie == Lie.NEIGHBOUR ? vector + 1 : vector);
      if (lie == Lie.STRAY && vector == 0) {
        honest.ring(vectors() - 1);
      }
    }

    @Override
    public List<Runnable> copy(Iova from, Iova to, int bytes, int vector) {
      return honest.copy(from, to, lie == Lie.SHORT_COPY ? bytes - 8 : bytes, vector);
    }

    @Override
    public void acknowledge() {
      honest.acknowledge();
    }
  }

  private static Path sample(String name) {
    return Path.of("..", "samples", name);
  }
}
