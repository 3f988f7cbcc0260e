/// The running Linux kernel as the host: the only module that makes restricted native calls.
module dev.doorbell.linux {
  requires static org.jspecify;
  requires transitive dev.doorbell.core;

  exports dev.doorbell.linux;
  exports dev.doorbell.linux.kvm;
  exports dev.doorbell.vmm;
}
