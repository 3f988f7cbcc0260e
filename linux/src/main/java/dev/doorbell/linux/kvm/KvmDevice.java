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
      vm.ioctl(
          KvmLayout.KVM_CREATE_DEVICE,
          s,
          e ->
              switch (e.name()) {
                case "ENODEV" ->
                    new Because(
                        "the kernel cannot make a " + name + " here",
                        "use a host whose own interrupt controller is of this kind");
                case "EEXIST" ->
                    new Because("the machine has one", "make one " + name + " a machine");
                default -> Because.general(e);
              });
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

  /// Sets an attribute that has no value.
  void set(int group, long attribute) {
    set(group, attribute, MemorySegment.NULL);
  }

  void setLong(int group, long attribute, long value) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment v = arena.allocate(JAVA_LONG);
      v.set(JAVA_LONG, 0, value);
      set(group, attribute, v);
    }
  }

  void setInt(int group, long attribute, int value) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment v = arena.allocate(JAVA_INT);
      v.set(JAVA_INT, 0, value);
      set(group, attribute, v);
    }
  }

  private void set(int group, long attribute, MemorySegment value) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment s = KvmLayout.ATTRIBUTE.allocate(arena);
      KvmLayout.ATTRIBUTE_GROUP.set(s, group);
      KvmLayout.ATTRIBUTE_ATTR.set(s, attribute);
      KvmLayout.ATTRIBUTE_ADDR.set(s, value.address());
      descriptor.ioctl(
          KvmLayout.KVM_SET_DEVICE_ATTR,
          s,
          e ->
              new Because(
                  "attribute %d of group %d: %s".formatted(attribute, group, e.meaning()),
                  Because.general(e).advice()));
    }
  }

  @Override
  public void close() {
    descriptor.close();
  }
}
