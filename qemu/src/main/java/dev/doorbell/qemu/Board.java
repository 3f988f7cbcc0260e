package dev.doorbell.qemu;

import java.util.List;

/// A machine that QEMU has and Doorbell drives: which interrupt controller and which IOMMU.
public enum Board {
  /// GICv3 with an ITS, and an SMMUv3.
  GICV3(
      QemuVersion.LEAST,
      "virt,gic-version=3,its=on,iommu=smmuv3",
      "a GICv3 with an ITS and an SMMUv3"),
  /// The same with an SMMUv3 that has stage 2 only. Needs QEMU 9.1.
  GICV3_STAGE2(
      new QemuVersion(9, 1, 0),
      "virt-9.1,gic-version=3,its=on,iommu=smmuv3",
      "a GICv3 with an ITS and an SMMUv3 of stage 2",
      "-global",
      "arm-smmuv3.stage=2"),
  /// GICv2 with a message frame, and an SMMUv3. QEMU's GICv2 bears one CPU only when it is driven from outside.
  GICV2M(
      QemuVersion.LEAST,
      "virt,gic-version=2,iommu=smmuv3",
      "a GICv2 with a v2m frame and an SMMUv3");

  private final QemuVersion least;
  private final String machine;
  private final String text;
  private final List<String> arguments;

  Board(QemuVersion least, String machine, String text, String... arguments) {
    this.least = least;
    this.machine = machine;
    this.text = text;
    this.arguments = List.of(arguments);
  }

  /// {@return the value of `-machine`}
  String machine() {
    return machine;
  }

  /// {@return the oldest QEMU that has it}
  QemuVersion least() {
    return least;
  }

  /// {@return further arguments}
  List<String> arguments() {
    return arguments;
  }

  /// {@return what it has, for people}
  public String text() {
    return text;
  }
}
