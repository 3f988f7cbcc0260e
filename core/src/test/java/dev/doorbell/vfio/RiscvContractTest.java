package dev.doorbell.vfio;

import dev.doorbell.host.HostOptions;
import org.junit.jupiter.api.DisplayName;

@DisplayName(
    "design 2: the contract of seam A on our own stack on a RISC-V IOMMU and interrupt files of four harts")
class RiscvContractTest extends VfioContract {
  @Override
  VfioLab open() {
    return EmbeddedLab.ofCapture(
        "captures/riscv64/qemu-virt-iommu-sys",
        EmbeddedLab.Places.PC,
        HostOptions.USUAL,
        EmbeddedLab.Messages.FORGEABLE);
  }
}
