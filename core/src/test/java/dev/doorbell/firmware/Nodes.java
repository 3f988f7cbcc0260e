package dev.doorbell.firmware;

/// Nodes of a device tree that many tests start from, and their phandles.
final class Nodes {
  static final int GIC = 1;
  static final int ITS = 2;
  static final int SMMU = 3;
  static final int V2M = 4;
  static final int HOST = 5;
  static final int ITS2 = 6;

  private Nodes() {}

  static TreeBuilder gic(TreeBuilder t) {
    return t.begin("gic@8000000")
        .text("compatible", "arm,gic-v3")
        .cells("phandle", GIC)
        .cells("#address-cells", 2)
        .cells("#size-cells", 2)
        .flag("ranges")
        .flag("interrupt-controller")
        .cells("reg", 0, 0x8000000, 0, 0x10000, 0, 0x80a0000, 0, 0xf60000)
        .begin("its@8080000")
        .text("compatible", "arm,gic-v3-its")
        .flag("msi-controller")
        .cells("#msi-cells", 1)
        .cells("phandle", ITS)
        .cells("reg", 0, 0x8080000, 0, 0x20000)
        .end()
        .end();
  }

  static TreeBuilder smmu(TreeBuilder t) {
    return t.begin("iommu@9050000")
        .text("compatible", "arm,smmu-v3")
        .cells("#iommu-cells", 1)
        .cells("phandle", SMMU)
        .flag("dma-coherent")
        .cells("reg", 0, 0x9050000, 0, 0x20000)
        .end();
  }

  static TreeBuilder host(TreeBuilder t) {
    return t.begin("pcie@10000000")
        .text("compatible", "pci-host-ecam-generic")
        .text("device_type", "pci")
        .cells("phandle", HOST)
        .cells("#address-cells", 3)
        .cells("#size-cells", 2)
        .cells("reg", 0x40, 0x10000000, 0, 0x10000000);
  }
}
