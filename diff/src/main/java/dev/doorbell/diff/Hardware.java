package dev.doorbell.diff;

import dev.doorbell.qemu.QemuBinary;
import dev.doorbell.qemu.QemuVersion;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/// What is put to the test.
public enum Hardware {
  /// IOMMU, with messages to memory.
  SMMUV3("smmuv3"),
  /// The same with devices that read memory, too, and with the SMMU's wired interrupts.
  SMMUV3_FULL("smmuv3-full"),
  /// ITS with a GICv3's Redistributors, with messages to GITS_TRANSLATER.
  ITS("its"),
  /// Message frame with a GICv2.
  GICV2M("gicv2m"),
  /// Remapping unit of VT-d, with local APICs to see interrupts arrive.
  VTD("vtd"),
  /// The same in scalable mode, by tables of the second stage, with 32-bit destinations of interrupts. QEMU has that from version 10 on.
  VTD_SCALABLE("vtd-scalable"),
  /// The same by tables of the first stage.
  VTD_FIRST_STAGE("vtd-first-stage"),
  /// The same of an AMD IOMMU.
  AMDVI("amdvi"),
  /// RISC-V IOMMU, with messages to interrupt files in memory. QEMU has it from version 10 on.
  RISCV_IOMMU("riscv-iommu");

  private final String id;

  Hardware(String id) {
    this.id = id;
  }

  /// {@return the name on the command line and in scripts}
  public String id() {
    return id;
  }

  /// {@return its machines, and how they are compared}
  Family<?> family() {
    return switch (this) {
      case SMMUV3, SMMUV3_FULL, ITS, GICV2M -> new ArmFamily(this);
      case VTD -> new IommuFamily(new VtdIommu(false));
      case VTD_SCALABLE -> new IommuFamily(new ScalableVtd(ScalableVtd.Stage.SECOND, false));
      case VTD_FIRST_STAGE -> new IommuFamily(new ScalableVtd(ScalableVtd.Stage.FIRST, false));
      case AMDVI -> new IommuFamily(new AmdViIommu("", false));
      case RISCV_IOMMU -> new IommuFamily(new RiscvIommu(0));
    };
  }

  /// {@return the program that this is compared with, unless another one is named}
  ///
  /// @throws dev.doorbell.qemu.QemuMissing when there is none
  public QemuBinary binary() {
    return family().binary();
  }

  /// {@return what Arm's machine has}
  static List<Hardware> arm() {
    return List.of(SMMUV3, SMMUV3_FULL, ITS, GICV2M);
  }

  /// {@return the models, as QEMU 7.2 has the hardware}
  Rig twin() {
    return family().model(QemuVersion.LEAST);
  }

  /// {@return whether it is an SMMU, with whatever around it}
  boolean isSmmu() {
    return this == SMMUV3 || this == SMMUV3_FULL;
  }

  /// {@return the names, for people}
  public static String names() {
    return Arrays.stream(values()).map(Hardware::id).collect(Collectors.joining("|"));
  }

  /// {@return the hardware of a name}
  public static Optional<Hardware> of(String id) {
    return Arrays.stream(values()).filter(h -> h.id.equals(id)).findFirst();
  }
}
