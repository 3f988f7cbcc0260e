/// The differential test of Doorbell's models against QEMU's devices.
module dev.doorbell.diff {
  requires static org.jspecify;
  requires transitive dev.doorbell.core;
  requires transitive dev.doorbell.qemu;

  exports dev.doorbell.diff;
}
