package dev.doorbell.vfio;

import dev.doorbell.host.HostOptions;
import dev.doorbell.qemu.Board;
import dev.doorbell.qemu.QemuMachine;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;

@DisplayName(
    "design 2: the contract of seam A on our own stack over QEMU's RISC-V IOMMU with second stages")
class QemuRiscvSecondStageContractTest extends VfioContract {
  private static @Nullable QemuMachine machine;

  @BeforeAll
  static void start() {
    machine = QemuLab.start(Board.RISCV_IMSIC);
  }

  @AfterAll
  static void end() {
    if (machine != null) {
      machine.close();
    }
  }

  @Override
  VfioLab open() {
    return QemuLab.on(Objects.requireNonNull(machine), HostOptions.USUAL.withStage(2));
  }
}
