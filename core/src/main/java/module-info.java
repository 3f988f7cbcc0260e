/// Everything of Doorbell that needs nothing but the JDK.
module dev.doorbell.core {
  requires static org.jspecify;

  exports dev.doorbell.address;
  exports dev.doorbell.bits;
  exports dev.doorbell.bus;
  exports dev.doorbell.explain;
  exports dev.doorbell.pci;
}
