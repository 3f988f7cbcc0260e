/// QEMU's devices as the second machine: driven from outside over its qtest protocol, without guest code.
module dev.doorbell.qemu {
  requires static org.jspecify;
  requires transitive dev.doorbell.core;
  requires tools.jackson.databind;

  exports dev.doorbell.qemu;
}
