package dev.doorbell.linux.kvm;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.doorbell.linux.Because;
import dev.doorbell.linux.Descriptor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// A device that the kernel makes for a machine, set up by attributes.
///
/// **Source**: Linux `Documentation/virt/kvm/devices/`
final class KvmDevice implements AutoCloseable {
  private final Descriptor descriptor;

  private KvmDevice(Descriptor descriptor) {
    this.descriptor = descriptor;
  }

  /// {@return whether the kernel has devices of a type for this machine}
  static boolean exists(Descriptor vm, int type) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment s = request(arena, type, KvmLayout.CREATE_DEVICE_TEST);
      return vm.tryIoctl(KvmLayout.KVM_CREATE_DEVICE, s) == 0;
    }
  }

  static KvmDevice create(Descriptor vm, int type, String name) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment s = request(arena, type, 0);
      vm.ioctl(KvmLayout.KVM_CREATE_DEVICE, s, e -> KvmRefused.device(e, name));
      return new KvmDevice(
          vm.kernel().own(KvmLayout.DEVICE_FD.getInt(s), "KVM_CREATE_DEVICE", name));
    }
  }

  private static MemorySegment request(Arena arena, int type, int flags) {
    MemorySegment s = KvmLayout.DEVICE.allocate(arena);
    KvmLayout.DEVICE_TYPE.set(s, type);
    KvmLayout.DEVICE_FLAGS.set(s, flags);
    return s;
  }

  /// An attribute of a device.
  ///
  /// @param why what a refusal says
  record Attribute(int group, long number, Because.Teller why) {}

  /// Sets an attribute that has no value.
  void set(Attribute attribute) {
    set(attribute, MemorySegment.NULL);
  }

  void setLong(Attribute attribute, long value) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment v = arena.allocate(JAVA_LONG);
      v.set(JAVA_LONG, 0, value);
      set(attribute, v);
    }
  }

  void setInt(Attribute attribute, int value) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment v = arena.allocate(JAVA_INT);
      v.set(JAVA_INT, 0, value);
      set(attribute, v);
    }
  }

  private void set(Attribute attribute, MemorySegment value) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment s = KvmLayout.ATTRIBUTE.allocate(arena);
      KvmLayout.ATTRIBUTE_GROUP.set(s, attribute.group());
      KvmLayout.ATTRIBUTE_ATTR.set(s, attribute.number());
      KvmLayout.ATTRIBUTE_ADDR.set(s, value.address());
      descriptor.ioctl(KvmLayout.KVM_SET_DEVICE_ATTR, s, attribute.why());
    }
  }

  @Override
  public void close() {
    descriptor.close();
  }
}
