package dev.doorbell.linux;

import dev.doorbell.linux.Struct.Member;

/// Requests and structures of a VFIO container with the IOMMU of POWER servers (SPAPR TCE), besides those that it shares with type 1.
///
/// **Source**: Linux `include/uapi/linux/vfio.h`, "Additional API for SPAPR TCE (Server POWERPC) IOMMU"
final class SpaprLayout {
  private static final int TYPE = ';';
  private static final int BASE = 100;

  // spotless:off
  static final Ioctl VFIO_IOMMU_SPAPR_TCE_GET_INFO      = Ioctl.io("VFIO_IOMMU_SPAPR_TCE_GET_INFO", TYPE, BASE + 12);
  static final Ioctl VFIO_IOMMU_ENABLE                  = Ioctl.io("VFIO_IOMMU_ENABLE", TYPE, BASE + 15);
  static final Ioctl VFIO_IOMMU_DISABLE                 = Ioctl.io("VFIO_IOMMU_DISABLE", TYPE, BASE + 16);
  static final Ioctl VFIO_IOMMU_SPAPR_REGISTER_MEMORY   = Ioctl.io("VFIO_IOMMU_SPAPR_REGISTER_MEMORY", TYPE, BASE + 17);
  static final Ioctl VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY = Ioctl.io("VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY", TYPE, BASE + 18);
  static final Ioctl VFIO_IOMMU_SPAPR_TCE_CREATE        = Ioctl.io("VFIO_IOMMU_SPAPR_TCE_CREATE", TYPE, BASE + 19);
  static final Ioctl VFIO_IOMMU_SPAPR_TCE_REMOVE        = Ioctl.io("VFIO_IOMMU_SPAPR_TCE_REMOVE", TYPE, BASE + 20);

  static final Struct INFO = Struct.of("struct vfio_iommu_spapr_tce_info");
  static final Member INFO_ARGSZ = INFO.u32("argsz");
  static final Member INFO_FLAGS = INFO.u32("flags");
  static final Member INFO_DMA32_START = INFO.u32("dma32_window_start");
  static final Member INFO_DMA32_SIZE = INFO.u32("dma32_window_size");
  static final Member INFO_DDW_PGSIZES = INFO.u64("ddw.pgsizes");
  static final Member INFO_DDW_WINDOWS = INFO.u32("ddw.max_dynamic_windows_supported");
  static final Member INFO_DDW_LEVELS = INFO.u32("ddw.levels");

  static final Struct MEMORY = Struct.of("struct vfio_iommu_spapr_register_memory");
  static final Member MEMORY_ARGSZ = MEMORY.u32("argsz");
  static final Member MEMORY_FLAGS = MEMORY.u32("flags");
  static final Member MEMORY_VADDR = MEMORY.u64("vaddr");
  static final Member MEMORY_SIZE = MEMORY.u64("size");

  static final Struct CREATE = Struct.of("struct vfio_iommu_spapr_tce_create");
  static final Member CREATE_ARGSZ = CREATE.u32("argsz");
  static final Member CREATE_FLAGS = CREATE.u32("flags");
  static final Member CREATE_PAGE_SHIFT = CREATE.u32("page_shift");
  static final Member CREATE_RESERVED1 = CREATE.u32("__resv1");
  static final Member CREATE_WINDOW_SIZE = CREATE.u64("window_size");
  static final Member CREATE_LEVELS = CREATE.u32("levels");
  static final Member CREATE_RESERVED2 = CREATE.u32("__resv2");
  static final Member CREATE_START_ADDR = CREATE.u64("start_addr");

  static final Struct REMOVE = Struct.of("struct vfio_iommu_spapr_tce_remove");
  static final Member REMOVE_ARGSZ = REMOVE.u32("argsz");
  static final Member REMOVE_FLAGS = REMOVE.u32("flags");
  static final Member REMOVE_START_ADDR = REMOVE.u64("start_addr");
  // spotless:on

  static final int SPAPR_TCE_IOMMU = 2;
  static final int SPAPR_TCE_V2_IOMMU = 7;

  /// `VFIO_IOMMU_SPAPR_INFO_DDW`: windows can be made.
  static final int INFO_DDW = 1;

  static {
    INFO.end(32);
    MEMORY.end(24);
    CREATE.end(40);
    REMOVE.end(16);
  }

  private SpaprLayout() {}
}
