package dev.doorbell.vfio;

import dev.doorbell.host.HostOptions;
import org.junit.jupiter.api.DisplayName;

@DisplayName(
    "design 2: the contract of seam A on our own stack on a RISC-V IOMMU with second stages, and interrupt files of eight harts in two groups")
class RiscvSecondStageContractTest extends VfioContract {
  @Override
  VfioLab open() {
    return EmbeddedLab.ofCapture(
        "captures/riscv64/qemu-virt-iommu-pci",
        EmbeddedLab.Places.PC,
        HostOptions.USUAL.withStage(2),
        EmbeddedLab.Messages.FORGEABLE);
  }
}
