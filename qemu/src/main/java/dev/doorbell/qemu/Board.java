package dev.doorbell.qemu;

/// A machine that QEMU has and Doorbell drives: which interrupt controller and which IOMMU.
public enum Board {
  /// GICv3 with an ITS, and an SMMUv3.
  GICV3("virt,gic-version=3,its=on,iommu=smmuv3", "a GICv3 with an ITS and an SMMUv3"),
  /// GICv2 with a message frame, and an SMMUv3. QEMU's GICv2 bears one CPU only when it is driven from outside.
  GICV2M("virt,gic-version=2,iommu=smmuv3", "a GICv2 with a v2m frame and an SMMUv3");

  private final String machine;
  private final String text;

  Board(String machine, String text) {
    this.machine = machine;
    this.text = text;
  }

  /// {@return the value of `-machine`}
  String machine() {
    return machine;
  }

  /// {@return what it has, for people}
  public String text() {
    return text;
  }
}
