/// Everything of Doorbell that needs nothing but the JDK.
module dev.doorbell.core {
  requires static org.jspecify;

  exports dev.doorbell.address;
  exports dev.doorbell.bits;
  exports dev.doorbell.bus;
  exports dev.doorbell.capture;
  exports dev.doorbell.description;
  exports dev.doorbell.doctor;
  exports dev.doorbell.explain;
  exports dev.doorbell.firmware;
  exports dev.doorbell.host;
  exports dev.doorbell.hw.amdvi;
  exports dev.doorbell.hw.aplic;
  exports dev.doorbell.hw.gicits;
  exports dev.doorbell.hw.gicv2;
  exports dev.doorbell.hw.gicv2m;
  exports dev.doorbell.hw.gicv3;
  exports dev.doorbell.hw.hpet;
  exports dev.doorbell.hw.imsic;
  exports dev.doorbell.hw.ioapic;
  exports dev.doorbell.hw.lapic;
  exports dev.doorbell.hw.mpic;
  exports dev.doorbell.hw.pamu;
  exports dev.doorbell.hw.papr;
  exports dev.doorbell.hw.pcie;
  exports dev.doorbell.hw.phb;
  exports dev.doorbell.hw.riscviommu;
  exports dev.doorbell.hw.smmuv2;
  exports dev.doorbell.hw.smmuv3;
  exports dev.doorbell.hw.vtd;
  exports dev.doorbell.hw.xics;
  exports dev.doorbell.hw.xive;
  exports dev.doorbell.iommu;
  exports dev.doorbell.iova;
  exports dev.doorbell.irq;
  exports dev.doorbell.machine;
  exports dev.doorbell.pci;
  exports dev.doorbell.pci.setup;
  exports dev.doorbell.plan;
  exports dev.doorbell.plan.emit;
  exports dev.doorbell.route;
  exports dev.doorbell.survey;
  exports dev.doorbell.vfio;
  exports dev.doorbell.vmsa;
}
