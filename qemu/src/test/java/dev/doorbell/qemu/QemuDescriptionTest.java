package dev.doorbell.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.doorbell.description.GicDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.survey.Survey;
import dev.doorbell.survey.SurveyedFunction;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@DisplayName(
    "what our firmware reader makes of the device tree and of the ACPI tables that QEMU generates")
class QemuDescriptionTest {
  /// What a driver would be started with, without where it was read. The MADT does not tell how large a GICv2's Distributor is.
  private record Hardware(
      List<String> iommus,
      List<String> controllers,
      List<String> gic,
      List<String> bridges,
      List<String> functions) {
    static Hardware of(MachineDescription m) {
      Survey survey = Survey.of(m);
      return new Hardware(
          m.iommus().stream().map(i -> i.id() + " " + i.registers()).toList(),
          m.msiControllers().stream()
              .map(c -> c.id() + " " + c.doorbell() + " " + c.frame() + " " + c.isolated())
              .toList(),
          m.gic().map(Hardware::of).stream().toList(),
          m.hostBridges().stream()
              .map(b -> "%s %d-%d %s".formatted(b.id(), b.firstBus(), b.lastBus(), b.ecam()))
              .toList(),
          survey.functions().stream().map(Hardware::of).toList());
    }

    private static String of(GicDescription g) {
      return "%d %s %s %s %s"
          .formatted(
              g.version(),
              Long.toHexString(g.distributor().start()),
              g.redistributors(),
              g.cpuInterface().map(r -> r.start()),
              g.cpus().stream().map(c -> c.mpidr()).toList());
    }

    private static String of(SurveyedFunction f) {
      List<String> streams = new ArrayList<>();
      f.streams().forEach(s -> streams.add(s.iommu() + ":" + s.streamId()));
      return "%s %s %s"
          .formatted(
              f.sbdf(), streams, f.msi().map(m -> m.controllers() + ":" + m.deviceId()).orElse(""));
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"GICV3", "GICV2M"})
  @DisplayName(
      "agree on the hardware, and on what each function is to the SMMU and to the MSI controller")
  void treeAndTablesAgree(Board board) {
    try (QemuMachine machine = QemuMachine.start(Qemus.orSkip(), board, Devices.usual())) {
      MachineDescription tree = machine.description();
      assertEquals(Hardware.of(tree), Hardware.of(machine.acpiDescription()));
      assertEquals(List.of(), tree.oddities());
      assertEquals(1, tree.iommus().size());
      assertEquals(1, tree.msiControllers().size());
      assertEquals(board == Board.GICV3, tree.msiControllers().getFirst().isolated());
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"GICV3", "GICV2M"})
  @DisplayName(
      "a function behind a bridge to conventional PCI is the bridge's secondary bus to both")
  void alias(Board board) {
    try (QemuMachine machine = QemuMachine.start(Qemus.orSkip(), board, Devices.usual())) {
      SurveyedFunction f =
          Survey.of(machine.description()).function(Sbdf.parse("08:01.0")).orElseThrow();
      assertEquals(Optional.of(0x800), f.stream().map(SurveyedFunction.Stream::streamId));
      assertEquals(
          Optional.of(board == Board.GICV3 ? 0x800 : f.msi().orElseThrow().deviceId()),
          f.msi().map(SurveyedFunction.MsiPath::deviceId));
      assertFalse(machine.description().functions().isEmpty());
    }
  }
}
