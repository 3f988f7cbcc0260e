package dev.doorbell.linux;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.explain.Source;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Tables of an IOAS that remember what devices write.
///
/// **Source**: Linux `include/uapi/linux/iommufd.h`, `IOMMU_HWPT_ALLOC`, `IOMMU_HWPT_SET_DIRTY_TRACKING`, `IOMMU_HWPT_GET_DIRTY_BITMAP`
final class IommufdTables {
  private final Descriptor iommufd;
  private final int ioas;

  IommufdTables(Descriptor iommufd, int ioas) {
    this.iommufd = iommufd;
    this.ioas = ioas;
  }

  /// {@return tables that remember, with all that the IOAS maps}
  ///
  /// @param device one of the group, by its number
  /// @throws KernelLacks where the kernel or its IOMMU cannot
  int allocate(int group, int device) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment a = IommufdLayout.HWPT_ALLOC.allocate(arena);
      IommufdLayout.HWPT_ALLOC_SIZE.set(a, a.byteSize());
      IommufdLayout.HWPT_ALLOC_FLAGS.set(a, IommufdLayout.HWPT_DIRTY_TRACKING);
      IommufdLayout.HWPT_ALLOC_DEV_ID.set(a, device);
      IommufdLayout.HWPT_ALLOC_PT_ID.set(a, ioas);
      int answer = iommufd.tryIoctl(IommufdLayout.IOMMU_HWPT_ALLOC, a);
      Errno e = answer < 0 ? Errno.in(answer) : Errno.EOPNOTSUPP;
      if (answer < 0 && (e.equals(Errno.EOPNOTSUPP) || e.equals(Errno.ENOTTY))) {
        throw KernelLacks.dirtyTracking(
            e.equals(Errno.ENOTTY)
                ? "this kernel's iommufd does not remember what devices write"
                : "the IOMMU of group %d does not remember what devices write".formatted(group),
            Source.rule("Linux IOMMU_HWPT_ALLOC_DIRTY_TRACKING"),
            "copy all memory that is mapped for writing, or use a kernel of 6.7 or later and an IOMMU with dirty bits");
      }
      Kernel.check(answer, IommufdLayout.IOMMU_HWPT_ALLOC.name(), "group " + group);
      return IommufdLayout.HWPT_ALLOC_OUT_ID.getInt(a);
    }
  }

  /// Has the tables remember writes, or no more.
  void remember(int tables, boolean on) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment s = IommufdLayout.SET_DIRTY.allocate(arena);
      IommufdLayout.SET_DIRTY_SIZE.set(s, s.byteSize());
      IommufdLayout.SET_DIRTY_FLAGS.set(s, on ? IommufdLayout.DIRTY_ENABLE : 0);
      IommufdLayout.SET_DIRTY_HWPT_ID.set(s, tables);
      iommufd.ioctl(IommufdLayout.IOMMU_HWPT_SET_DIRTY_TRACKING, s);
    }
  }

  /// Marks what was written in a mapping since the last time.
  void read(int tables, AddressRange iovas, Granule page, MemorySegment bits) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment g = IommufdLayout.GET_DIRTY.allocate(arena);
      IommufdLayout.GET_DIRTY_SIZE.set(g, g.byteSize());
      IommufdLayout.GET_DIRTY_HWPT_ID.set(g, tables);
      IommufdLayout.GET_DIRTY_IOVA.set(g, iovas.start());
      IommufdLayout.GET_DIRTY_LENGTH.set(g, iovas.bytes());
      IommufdLayout.GET_DIRTY_PAGE_SIZE.set(g, page.bytes());
      IommufdLayout.GET_DIRTY_DATA.set(g, bits.address());
      iommufd.ioctl(IommufdLayout.IOMMU_HWPT_GET_DIRTY_BITMAP, g);
    }
  }

  void destroy(int tables) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment d = IommufdLayout.DESTROY.allocate(arena);
      IommufdLayout.DESTROY_SIZE.set(d, d.byteSize());
      IommufdLayout.DESTROY_ID.set(d, tables);
      iommufd.ioctl(IommufdLayout.IOMMU_DESTROY, d);
    }
  }
}
