package dev.doorbell.linux;

import dev.doorbell.bus.Rollback;
import dev.doorbell.vfio.IrqType;
import dev.doorbell.vfio.Trigger;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/// What the kernel tells of a function beside its interrupts: that it reported an error, and that the host wants it back. Each has an
/// eventfd of its own, whatever vectors are enabled, until the device closes. Guarded by the device's lock.
///
/// **Source**: Linux `include/uapi/linux/vfio.h`, `VFIO_PCI_ERR_IRQ_INDEX`, `VFIO_PCI_REQ_IRQ_INDEX`
final class DeviceNotices implements AutoCloseable {
  private final LinuxDevice device;
  private final Map<IrqType, LinuxVectors> live = new EnumMap<>(IrqType.class);

  DeviceNotices(LinuxDevice device) {
    this.device = device;
  }

  static boolean isNotice(IrqType type) {
    return type == IrqType.ERR || type == IrqType.REQ;
  }

  /// Has a trigger signalled, instead of the one before.
  void lead(IrqType type, Trigger trigger) {
    LinuxVectors v = live.get(type);
    if (v != null) {
      v.lead(0, trigger);
      return;
    }
    live.put(type, LinuxVectors.enable(device, type, false, 1, List.of(trigger)));
  }

  /// Tells the kernel to signal them no more: it keeps a device that another descriptor holds open.
  ///
  /// @throws IllegalStateException when the kernel refuses; each is tried, and each one's exception is suppressed in it
  void release() {
    try (Rollback all = new Rollback()) {
      live.values().forEach(v -> all.add(v::release));
    }
  }

  /// Lets go of the eventfds.
  @Override
  public void close() {
    live.values().forEach(LinuxVectors::close);
    live.clear();
  }
}
