package dev.doorbell.linux;

import dev.doorbell.address.AddressRange;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.IrqType;
import dev.doorbell.vfio.RegionType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/// What the kernel tells of a device's regions and interrupts.
final class DeviceInfo {
  /// Interrupts of one type.
  ///
  /// @param flags of `struct vfio_irq_info`
  record Irqs(int count, int flags) {
    boolean isMaskable() {
      return (flags & VfioLayout.IRQ_MASKABLE) != 0;
    }

    /// {@return whether vectors come and go one by one}
    boolean isResizable(IrqType type) {
      return type == IrqType.MSIX && count > 0 && (flags & VfioLayout.IRQ_NORESIZE) == 0;
    }
  }

  private DeviceInfo() {}

  /// {@return a region; empty when the function has it not}
  static Optional<DeviceRegion> region(Descriptor device, Sbdf function, RegionType type) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment s =
          InfoCaps.ask(
              arena,
              device,
              VfioLayout.VFIO_DEVICE_GET_REGION_INFO,
              VfioLayout.REGION_INFO,
              r -> VfioLayout.REGION_INDEX.set(r, type.ordinal()));
      long bytes = VfioLayout.REGION_SIZE.get(s);
      if (bytes == 0) {
        return Optional.empty();
      }
      return Optional.of(
          new DeviceRegion(
              device,
              "%s %s".formatted(function, type),
              VfioLayout.REGION_OFFSET.get(s),
              bytes,
              VfioLayout.REGION_FLAGS.getInt(s),
              mappable(s, bytes)));
    }
  }

  private static List<AddressRange> mappable(MemorySegment info, long bytes) {
    int flags = VfioLayout.REGION_FLAGS.getInt(info);
    if ((flags & VfioLayout.REGION_MMAP) == 0) {
      return List.of();
    }
    OptionalLong sparse =
        (flags & VfioLayout.REGION_CAPS) == 0
            ? OptionalLong.empty()
            : InfoCaps.find(
                info, VfioLayout.REGION_CAP_OFFSET.get(info), VfioLayout.CAP_SPARSE_MMAP);
    if (sparse.isEmpty()) {
      return List.of(AddressRange.ofSize(0, bytes));
    }
    List<AddressRange> out = new ArrayList<>();
    long at = sparse.getAsLong();
    for (long i = 0; i < VfioLayout.SPARSE_NR_AREAS.get(info, at); i++) {
      long area = at + VfioLayout.SPARSE_AREAS.offset() + i * VfioLayout.SPARSE_AREA.bytes();
      long size = VfioLayout.AREA_SIZE.get(info, area);
      if (size != 0) {
        out.add(AddressRange.ofSize(VfioLayout.AREA_OFFSET.get(info, area), size));
      }
    }
    return out;
  }

  /// {@return interrupts of one type, none where the kernel does not know it for this device}
  static Irqs irqs(Descriptor device, IrqType type) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment s = VfioLayout.IRQ_INFO.allocate(arena);
      VfioLayout.IRQ_INFO_ARGSZ.set(s, s.byteSize());
      VfioLayout.IRQ_INFO_INDEX.set(s, type.ordinal());
      int answer = device.tryIoctl(VfioLayout.VFIO_DEVICE_GET_IRQ_INFO, s);
      if (answer == -Errno.EINVAL.number()) {
        return new Irqs(0, 0);
      }
      Kernel.check(answer, VfioLayout.VFIO_DEVICE_GET_IRQ_INFO.name(), device.name());
      return new Irqs(VfioLayout.IRQ_INFO_COUNT.getInt(s), VfioLayout.IRQ_INFO_FLAGS.getInt(s));
    }
  }
}
