package dev.doorbell.linux;

import dev.doorbell.linux.Struct.Member;

/// Requests and structures of VFIO: of a container with type 1 IOMMU, of a group, and of a device. {@link SpaprLayout} has those of POWER.
///
/// **Source**: Linux `include/uapi/linux/vfio.h`
final class VfioLayout {
  private static final int TYPE = ';';
  private static final int BASE = 100;

  // spotless:off
  // A container, /dev/vfio/vfio.
  static final Ioctl VFIO_GET_API_VERSION            = Ioctl.io("VFIO_GET_API_VERSION", TYPE, BASE);
  static final Ioctl VFIO_CHECK_EXTENSION            = Ioctl.io("VFIO_CHECK_EXTENSION", TYPE, BASE + 1);
  static final Ioctl VFIO_SET_IOMMU                  = Ioctl.io("VFIO_SET_IOMMU", TYPE, BASE + 2);
  static final Ioctl VFIO_IOMMU_GET_INFO             = Ioctl.io("VFIO_IOMMU_GET_INFO", TYPE, BASE + 12);
  static final Ioctl VFIO_IOMMU_MAP_DMA              = Ioctl.io("VFIO_IOMMU_MAP_DMA", TYPE, BASE + 13);
  static final Ioctl VFIO_IOMMU_UNMAP_DMA            = Ioctl.io("VFIO_IOMMU_UNMAP_DMA", TYPE, BASE + 14);
  static final Ioctl VFIO_IOMMU_DIRTY_PAGES          = Ioctl.io("VFIO_IOMMU_DIRTY_PAGES", TYPE, BASE + 17);
  // A group, /dev/vfio/N.
  static final Ioctl VFIO_GROUP_GET_STATUS           = Ioctl.io("VFIO_GROUP_GET_STATUS", TYPE, BASE + 3);
  static final Ioctl VFIO_GROUP_SET_CONTAINER        = Ioctl.io("VFIO_GROUP_SET_CONTAINER", TYPE, BASE + 4);
  static final Ioctl VFIO_GROUP_UNSET_CONTAINER      = Ioctl.io("VFIO_GROUP_UNSET_CONTAINER", TYPE, BASE + 5);
  static final Ioctl VFIO_GROUP_GET_DEVICE_FD        = Ioctl.io("VFIO_GROUP_GET_DEVICE_FD", TYPE, BASE + 6);
  // A device.
  static final Ioctl VFIO_DEVICE_GET_INFO            = Ioctl.io("VFIO_DEVICE_GET_INFO", TYPE, BASE + 7);
  static final Ioctl VFIO_DEVICE_GET_REGION_INFO     = Ioctl.io("VFIO_DEVICE_GET_REGION_INFO", TYPE, BASE + 8);
  static final Ioctl VFIO_DEVICE_GET_IRQ_INFO        = Ioctl.io("VFIO_DEVICE_GET_IRQ_INFO", TYPE, BASE + 9);
  static final Ioctl VFIO_DEVICE_SET_IRQS            = Ioctl.io("VFIO_DEVICE_SET_IRQS", TYPE, BASE + 10);
  static final Ioctl VFIO_DEVICE_RESET               = Ioctl.io("VFIO_DEVICE_RESET", TYPE, BASE + 11);
  static final Ioctl VFIO_DEVICE_GET_PCI_HOT_RESET_INFO = Ioctl.io("VFIO_DEVICE_GET_PCI_HOT_RESET_INFO", TYPE, BASE + 12);
  static final Ioctl VFIO_DEVICE_PCI_HOT_RESET       = Ioctl.io("VFIO_DEVICE_PCI_HOT_RESET", TYPE, BASE + 13);

  static final Struct CAP_HEADER = Struct.of("struct vfio_info_cap_header");
  static final Member CAP_ID = CAP_HEADER.u16("id");
  static final Member CAP_VERSION = CAP_HEADER.u16("version");
  static final Member CAP_NEXT = CAP_HEADER.u32("next");

  static final Struct GROUP_STATUS = Struct.of("struct vfio_group_status");
  static final Member GROUP_ARGSZ = GROUP_STATUS.u32("argsz");
  static final Member GROUP_FLAGS = GROUP_STATUS.u32("flags");

  static final Struct DEVICE_INFO = Struct.of("struct vfio_device_info");
  static final Member DEVICE_ARGSZ = DEVICE_INFO.u32("argsz");
  static final Member DEVICE_FLAGS = DEVICE_INFO.u32("flags");
  static final Member DEVICE_NUM_REGIONS = DEVICE_INFO.u32("num_regions");
  static final Member DEVICE_NUM_IRQS = DEVICE_INFO.u32("num_irqs");
  static final Member DEVICE_CAP_OFFSET = DEVICE_INFO.u32("cap_offset");

  static final Struct REGION_INFO = Struct.of("struct vfio_region_info");
  static final Member REGION_ARGSZ = REGION_INFO.u32("argsz");
  static final Member REGION_FLAGS = REGION_INFO.u32("flags");
  static final Member REGION_INDEX = REGION_INFO.u32("index");
  static final Member REGION_CAP_OFFSET = REGION_INFO.u32("cap_offset");
  static final Member REGION_SIZE = REGION_INFO.u64("size");
  static final Member REGION_OFFSET = REGION_INFO.u64("offset");

  static final Struct SPARSE_AREA = Struct.of("struct vfio_region_sparse_mmap_area");
  static final Member AREA_OFFSET = SPARSE_AREA.u64("offset");
  static final Member AREA_SIZE = SPARSE_AREA.u64("size");

  static final Struct SPARSE_CAP = Struct.of("struct vfio_region_info_cap_sparse_mmap");
  static final Member SPARSE_HEADER = SPARSE_CAP.block("header", 8, 4);
  static final Member SPARSE_NR_AREAS = SPARSE_CAP.u32("nr_areas");
  static final Member SPARSE_RESERVED = SPARSE_CAP.u32("reserved");
  static final Member SPARSE_AREAS = SPARSE_CAP.rest("areas", 8);

  static final Struct IRQ_INFO = Struct.of("struct vfio_irq_info");
  static final Member IRQ_INFO_ARGSZ = IRQ_INFO.u32("argsz");
  static final Member IRQ_INFO_FLAGS = IRQ_INFO.u32("flags");
  static final Member IRQ_INFO_INDEX = IRQ_INFO.u32("index");
  static final Member IRQ_INFO_COUNT = IRQ_INFO.u32("count");

  static final Struct IRQ_SET = Struct.of("struct vfio_irq_set");
  static final Member IRQ_SET_ARGSZ = IRQ_SET.u32("argsz");
  static final Member IRQ_SET_FLAGS = IRQ_SET.u32("flags");
  static final Member IRQ_SET_INDEX = IRQ_SET.u32("index");
  static final Member IRQ_SET_START = IRQ_SET.u32("start");
  static final Member IRQ_SET_COUNT = IRQ_SET.u32("count");
  static final Member IRQ_SET_DATA = IRQ_SET.rest("data", 1);

  static final Struct DEPENDENT_DEVICE = Struct.of("struct vfio_pci_dependent_device");
  static final Member DEPENDENT_GROUP = DEPENDENT_DEVICE.u32("group_id");
  static final Member DEPENDENT_SEGMENT = DEPENDENT_DEVICE.u16("segment");
  static final Member DEPENDENT_BUS = DEPENDENT_DEVICE.u8("bus");
  static final Member DEPENDENT_DEVFN = DEPENDENT_DEVICE.u8("devfn");

  static final Struct HOT_RESET_INFO = Struct.of("struct vfio_pci_hot_reset_info");
  static final Member HOT_RESET_INFO_ARGSZ = HOT_RESET_INFO.u32("argsz");
  static final Member HOT_RESET_INFO_FLAGS = HOT_RESET_INFO.u32("flags");
  static final Member HOT_RESET_INFO_COUNT = HOT_RESET_INFO.u32("count");
  static final Member HOT_RESET_INFO_DEVICES = HOT_RESET_INFO.rest("devices", 4);

  static final Struct HOT_RESET = Struct.of("struct vfio_pci_hot_reset");
  static final Member HOT_RESET_ARGSZ = HOT_RESET.u32("argsz");
  static final Member HOT_RESET_FLAGS = HOT_RESET.u32("flags");
  static final Member HOT_RESET_COUNT = HOT_RESET.u32("count");
  static final Member HOT_RESET_GROUP_FDS = HOT_RESET.rest("group_fds", 4);

  static final Struct TYPE1_INFO = Struct.of("struct vfio_iommu_type1_info");
  static final Member TYPE1_ARGSZ = TYPE1_INFO.u32("argsz");
  static final Member TYPE1_FLAGS = TYPE1_INFO.u32("flags");
  static final Member TYPE1_PGSIZES = TYPE1_INFO.u64("iova_pgsizes");
  static final Member TYPE1_CAP_OFFSET = TYPE1_INFO.u32("cap_offset");

  static final Struct IOVA_RANGE = Struct.of("struct vfio_iova_range");
  static final Member IOVA_START = IOVA_RANGE.u64("start");
  static final Member IOVA_END = IOVA_RANGE.u64("end");

  static final Struct IOVA_RANGES_CAP = Struct.of("struct vfio_iommu_type1_info_cap_iova_range");
  static final Member IOVA_RANGES_HEADER = IOVA_RANGES_CAP.block("header", 8, 4);
  static final Member IOVA_RANGES_NR = IOVA_RANGES_CAP.u32("nr_iovas");
  static final Member IOVA_RANGES_RESERVED = IOVA_RANGES_CAP.u32("reserved");
  static final Member IOVA_RANGES = IOVA_RANGES_CAP.rest("iova_ranges", 8);

  static final Struct MIGRATION_CAP = Struct.of("struct vfio_iommu_type1_info_cap_migration");
  static final Member MIGRATION_HEADER = MIGRATION_CAP.block("header", 8, 4);
  static final Member MIGRATION_FLAGS = MIGRATION_CAP.u32("flags");
  static final Member MIGRATION_PGSIZES = MIGRATION_CAP.u64("pgsize_bitmap");
  static final Member MIGRATION_MAX_BITMAP = MIGRATION_CAP.u64("max_dirty_bitmap_size");

  static final Struct BITMAP = Struct.of("struct vfio_bitmap");
  static final Member BITMAP_PGSIZE = BITMAP.u64("pgsize");
  static final Member BITMAP_SIZE = BITMAP.u64("size");
  static final Member BITMAP_DATA = BITMAP.u64("data");

  static final Struct DIRTY = Struct.of("struct vfio_iommu_type1_dirty_bitmap");
  static final Member DIRTY_ARGSZ = DIRTY.u32("argsz");
  static final Member DIRTY_FLAGS = DIRTY.u32("flags");
  static final Member DIRTY_DATA = DIRTY.rest("data", 1);

  static final Struct DIRTY_GET = Struct.of("struct vfio_iommu_type1_dirty_bitmap_get");
  static final Member DIRTY_GET_IOVA = DIRTY_GET.u64("iova");
  static final Member DIRTY_GET_SIZE = DIRTY_GET.u64("size");
  static final Member DIRTY_GET_BITMAP = DIRTY_GET.block("bitmap", 24, 8);

  static final Struct DMA_AVAIL_CAP = Struct.of("struct vfio_iommu_type1_info_dma_avail");
  static final Member DMA_AVAIL_HEADER = DMA_AVAIL_CAP.block("header", 8, 4);
  static final Member DMA_AVAIL = DMA_AVAIL_CAP.u32("avail");

  static final Struct DMA_MAP = Struct.of("struct vfio_iommu_type1_dma_map");
  static final Member DMA_MAP_ARGSZ = DMA_MAP.u32("argsz");
  static final Member DMA_MAP_FLAGS = DMA_MAP.u32("flags");
  static final Member DMA_MAP_VADDR = DMA_MAP.u64("vaddr");
  static final Member DMA_MAP_IOVA = DMA_MAP.u64("iova");
  static final Member DMA_MAP_SIZE = DMA_MAP.u64("size");

  static final Struct DMA_UNMAP = Struct.of("struct vfio_iommu_type1_dma_unmap");
  static final Member DMA_UNMAP_ARGSZ = DMA_UNMAP.u32("argsz");
  static final Member DMA_UNMAP_FLAGS = DMA_UNMAP.u32("flags");
  static final Member DMA_UNMAP_IOVA = DMA_UNMAP.u64("iova");
  static final Member DMA_UNMAP_SIZE = DMA_UNMAP.u64("size");
  static final Member DMA_UNMAP_DATA = DMA_UNMAP.rest("data", 1);
  // spotless:on

  static final int TYPE1V2_IOMMU = 3;
  static final int GROUP_VIABLE = 1;
  static final int DEVICE_RESETS = 1;
  static final int REGION_READ = 1;
  static final int REGION_WRITE = 2;
  static final int REGION_MMAP = 4;
  static final int REGION_CAPS = 8;
  static final int CAP_SPARSE_MMAP = 1;
  static final int IRQ_MASKABLE = 2;
  static final int IRQ_NORESIZE = 8;
  static final int SET_DATA_NONE = 1;
  static final int SET_DATA_EVENTFD = 4;
  static final int SET_ACTION_MASK = 8;
  static final int SET_ACTION_UNMASK = 16;
  static final int SET_ACTION_TRIGGER = 32;
  static final int TYPE1_HAS_PGSIZES = 1;
  static final int TYPE1_HAS_CAPS = 2;
  static final int CAP_IOVA_RANGES = 1;
  static final int CAP_MIGRATION = 2;
  static final int CAP_DMA_AVAIL = 3;
  static final int DIRTY_START = 1;
  static final int DIRTY_STOP = 2;
  static final int DIRTY_GET_BITS = 4;
  static final int MAP_READ = 1;
  static final int MAP_WRITE = 2;

  static {
    CAP_HEADER.end(8);
    GROUP_STATUS.end(8);
    // Newer kernels have a member more: 24 bytes. The kernel takes both.
    DEVICE_INFO.end(20);
    REGION_INFO.end(32);
    SPARSE_AREA.end(16);
    SPARSE_CAP.end(16);
    IRQ_INFO.end(16);
    IRQ_SET.end(20);
    DEPENDENT_DEVICE.end(8);
    HOT_RESET_INFO.end(12);
    HOT_RESET.end(12);
    TYPE1_INFO.end(24);
    IOVA_RANGE.end(16);
    IOVA_RANGES_CAP.end(16);
    MIGRATION_CAP.end(32);
    BITMAP.end(24);
    DIRTY.end(8);
    DIRTY_GET.end(40);
    DMA_AVAIL_CAP.end(12);
    DMA_MAP.end(32);
    DMA_UNMAP.end(24);
  }

  private VfioLayout() {}
}
