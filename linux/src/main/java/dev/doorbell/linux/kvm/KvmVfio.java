package dev.doorbell.linux.kvm;

import dev.doorbell.bus.Rollback;
import dev.doorbell.linux.Descriptor;

/// What tells a machine which assigned functions it has, by the file of their group or, with iommufd, of the function itself. KVM then knows
/// whether their DMA is coherent, and keeps the files from going first.
///
/// **Source**: Linux `Documentation/virt/kvm/devices/vfio.rst`
public final class KvmVfio implements AutoCloseable {
  private final KvmDevice device;
  private final Rollback added = new Rollback();

  private KvmVfio(KvmDevice device) {
    this.device = device;
  }

  /// {@return the device of a machine, one a machine}
  public static KvmVfio of(KvmVm vm) {
    return new KvmVfio(vm.createDevice(KvmLayout.TYPE_VFIO, "VFIO device"));
  }

  /// Adds a file: {@link dev.doorbell.linux.LinuxDevice#kvmFile}.
  ///
  /// @throws dev.doorbell.linux.ErrnoException with EEXIST when it is there
  public void add(Descriptor file) {
    set(KvmLayout.VFIO_FILE_ADD, file);
    added.add(() -> set(KvmLayout.VFIO_FILE_DEL, file));
  }

  private void set(int attribute, Descriptor file) {
    int fd = file.acquire();
    try {
      device.setInt(
          new KvmDevice.Attribute(
              KvmLayout.VFIO_GROUP_FILE, attribute, e -> KvmRefused.file(e, file.name())),
          fd);
    } finally {
      file.release();
    }
  }

  /// Takes the files out again; they must still be open.
  @Override
  public void close() {
    added.close();
  }
}
