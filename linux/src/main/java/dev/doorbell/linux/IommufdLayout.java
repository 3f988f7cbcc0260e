package dev.doorbell.linux;

import dev.doorbell.linux.Struct.Member;

/// Requests and structures of iommufd, and those by which a VFIO device joins it.
///
/// **Source**: Linux 6.12 `include/uapi/linux/iommufd.h`, `include/uapi/linux/vfio.h`
final class IommufdLayout {
  private static final int TYPE = ';';

  // spotless:off
  static final Ioctl IOMMU_DESTROY           = Ioctl.io("IOMMU_DESTROY", TYPE, 0x80);
  static final Ioctl IOMMU_IOAS_ALLOC        = Ioctl.io("IOMMU_IOAS_ALLOC", TYPE, 0x81);
  static final Ioctl IOMMU_IOAS_IOVA_RANGES  = Ioctl.io("IOMMU_IOAS_IOVA_RANGES", TYPE, 0x84);
  static final Ioctl IOMMU_IOAS_MAP          = Ioctl.io("IOMMU_IOAS_MAP", TYPE, 0x85);
  static final Ioctl IOMMU_IOAS_UNMAP        = Ioctl.io("IOMMU_IOAS_UNMAP", TYPE, 0x86);
  static final Ioctl IOMMU_HWPT_ALLOC        = Ioctl.io("IOMMU_HWPT_ALLOC", TYPE, 0x89);
  static final Ioctl IOMMU_HWPT_SET_DIRTY_TRACKING = Ioctl.io("IOMMU_HWPT_SET_DIRTY_TRACKING", TYPE, 0x8b);
  static final Ioctl IOMMU_HWPT_GET_DIRTY_BITMAP   = Ioctl.io("IOMMU_HWPT_GET_DIRTY_BITMAP", TYPE, 0x8c);
  static final Ioctl VFIO_DEVICE_BIND_IOMMUFD      = Ioctl.io("VFIO_DEVICE_BIND_IOMMUFD", TYPE, 118);
  static final Ioctl VFIO_DEVICE_ATTACH_IOMMUFD_PT = Ioctl.io("VFIO_DEVICE_ATTACH_IOMMUFD_PT", TYPE, 119);
  static final Ioctl VFIO_DEVICE_DETACH_IOMMUFD_PT = Ioctl.io("VFIO_DEVICE_DETACH_IOMMUFD_PT", TYPE, 120);

  static final Struct DESTROY = Struct.of("struct iommu_destroy");
  static final Member DESTROY_SIZE = DESTROY.u32("size");
  static final Member DESTROY_ID = DESTROY.u32("id");

  static final Struct IOAS_ALLOC = Struct.of("struct iommu_ioas_alloc");
  static final Member ALLOC_SIZE = IOAS_ALLOC.u32("size");
  static final Member ALLOC_FLAGS = IOAS_ALLOC.u32("flags");
  static final Member ALLOC_OUT_IOAS_ID = IOAS_ALLOC.u32("out_ioas_id");

  static final Struct IOVA_RANGE = Struct.of("struct iommu_iova_range");
  static final Member RANGE_START = IOVA_RANGE.u64("start");
  static final Member RANGE_LAST = IOVA_RANGE.u64("last");

  static final Struct IOVA_RANGES = Struct.of("struct iommu_ioas_iova_ranges");
  static final Member RANGES_SIZE = IOVA_RANGES.u32("size");
  static final Member RANGES_IOAS_ID = IOVA_RANGES.u32("ioas_id");
  static final Member RANGES_NUM = IOVA_RANGES.u32("num_iovas");
  static final Member RANGES_RESERVED = IOVA_RANGES.u32("__reserved");
  static final Member RANGES_ALLOWED = IOVA_RANGES.u64("allowed_iovas");
  static final Member RANGES_OUT_ALIGNMENT = IOVA_RANGES.u64("out_iova_alignment");

  static final Struct MAP = Struct.of("struct iommu_ioas_map");
  static final Member MAP_SIZE = MAP.u32("size");
  static final Member MAP_FLAGS = MAP.u32("flags");
  static final Member MAP_IOAS_ID = MAP.u32("ioas_id");
  static final Member MAP_RESERVED = MAP.u32("__reserved");
  static final Member MAP_USER_VA = MAP.u64("user_va");
  static final Member MAP_LENGTH = MAP.u64("length");
  static final Member MAP_IOVA = MAP.u64("iova");

  static final Struct UNMAP = Struct.of("struct iommu_ioas_unmap");
  static final Member UNMAP_SIZE = UNMAP.u32("size");
  static final Member UNMAP_IOAS_ID = UNMAP.u32("ioas_id");
  static final Member UNMAP_IOVA = UNMAP.u64("iova");
  static final Member UNMAP_LENGTH = UNMAP.u64("length");

  static final Struct HWPT_ALLOC = Struct.of("struct iommu_hwpt_alloc");
  static final Member HWPT_ALLOC_SIZE = HWPT_ALLOC.u32("size");
  static final Member HWPT_ALLOC_FLAGS = HWPT_ALLOC.u32("flags");
  static final Member HWPT_ALLOC_DEV_ID = HWPT_ALLOC.u32("dev_id");
  static final Member HWPT_ALLOC_PT_ID = HWPT_ALLOC.u32("pt_id");
  static final Member HWPT_ALLOC_OUT_ID = HWPT_ALLOC.u32("out_hwpt_id");
  static final Member HWPT_ALLOC_RESERVED = HWPT_ALLOC.u32("__reserved");
  static final Member HWPT_ALLOC_DATA_TYPE = HWPT_ALLOC.u32("data_type");
  static final Member HWPT_ALLOC_DATA_LEN = HWPT_ALLOC.u32("data_len");
  static final Member HWPT_ALLOC_DATA_UPTR = HWPT_ALLOC.u64("data_uptr");

  static final Struct SET_DIRTY = Struct.of("struct iommu_hwpt_set_dirty_tracking");
  static final Member SET_DIRTY_SIZE = SET_DIRTY.u32("size");
  static final Member SET_DIRTY_FLAGS = SET_DIRTY.u32("flags");
  static final Member SET_DIRTY_HWPT_ID = SET_DIRTY.u32("hwpt_id");
  static final Member SET_DIRTY_RESERVED = SET_DIRTY.u32("__reserved");

  static final Struct GET_DIRTY = Struct.of("struct iommu_hwpt_get_dirty_bitmap");
  static final Member GET_DIRTY_SIZE = GET_DIRTY.u32("size");
  static final Member GET_DIRTY_HWPT_ID = GET_DIRTY.u32("hwpt_id");
  static final Member GET_DIRTY_FLAGS = GET_DIRTY.u32("flags");
  static final Member GET_DIRTY_RESERVED = GET_DIRTY.u32("__reserved");
  static final Member GET_DIRTY_IOVA = GET_DIRTY.u64("iova");
  static final Member GET_DIRTY_LENGTH = GET_DIRTY.u64("length");
  static final Member GET_DIRTY_PAGE_SIZE = GET_DIRTY.u64("page_size");
  static final Member GET_DIRTY_DATA = GET_DIRTY.u64("data");

  static final Struct BIND = Struct.of("struct vfio_device_bind_iommufd");
  static final Member BIND_ARGSZ = BIND.u32("argsz");
  static final Member BIND_FLAGS = BIND.u32("flags");
  static final Member BIND_IOMMUFD = BIND.u32("iommufd");
  static final Member BIND_OUT_DEVID = BIND.u32("out_devid");

  static final Struct ATTACH = Struct.of("struct vfio_device_attach_iommufd_pt");
  static final Member ATTACH_ARGSZ = ATTACH.u32("argsz");
  static final Member ATTACH_FLAGS = ATTACH.u32("flags");
  static final Member ATTACH_PT_ID = ATTACH.u32("pt_id");

  static final Struct DETACH = Struct.of("struct vfio_device_detach_iommufd_pt");
  static final Member DETACH_ARGSZ = DETACH.u32("argsz");
  static final Member DETACH_FLAGS = DETACH.u32("flags");
  // spotless:on

  static final int MAP_FIXED_IOVA = 1;
  static final int MAP_WRITEABLE = 2;
  static final int MAP_READABLE = 4;
  static final int HWPT_DIRTY_TRACKING = 2;
  static final int DIRTY_ENABLE = 1;

  static {
    DESTROY.end(8);
    IOAS_ALLOC.end(12);
    IOVA_RANGE.end(16);
    IOVA_RANGES.end(32);
    MAP.end(40);
    UNMAP.end(24);
    // Newer kernels have members more, for page faults. The kernel takes both.
    HWPT_ALLOC.end(40);
    SET_DIRTY.end(16);
    GET_DIRTY.end(48);
    BIND.end(16);
    ATTACH.end(12);
    DETACH.end(8);
  }

  private IommufdLayout() {}
}
