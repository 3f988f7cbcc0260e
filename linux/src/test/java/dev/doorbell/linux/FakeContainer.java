package dev.doorbell.linux;

import dev.doorbell.address.AddressRange;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.OptionalLong;

/// `/dev/vfio/vfio` of the fake kernel, with the type 1 IOMMU.
class FakeContainer extends FakeFile {
  final FakeSpace space = new FakeSpace();
  boolean iommuSet;
  private boolean logging;

  FakeContainer(FakeKernel kernel, String path) {
    super(kernel, path);
  }

  boolean hasGroups() {
    return kernel.files.values().stream()
        .anyMatch(f -> f instanceof FakeFile.GroupFile g && g.container == this);
  }

  boolean has(long extension) {
    return List.of(1L, 3L, 6L, 9L).contains(extension);
  }

  /// {@return why a group may not join those that are in, an errno negated; 0 when it may}
  int refuses(FakeFunction joining) {
    return 0;
  }

  /// The last group has left.
  void empty() {
    space.clear();
    iommuSet = false;
    logging = false;
  }

  @Override
  int ioctl(int request, MemorySegment argument) {
    if (is(request, VfioLayout.VFIO_GET_API_VERSION)) {
      return 0;
    }
    if (is(request, VfioLayout.VFIO_CHECK_EXTENSION)) {
      return has(argument.address()) ? 1 : 0;
    }
    if (is(request, VfioLayout.VFIO_SET_IOMMU)) {
      if (argument.address() != VfioLayout.TYPE1V2_IOMMU || iommuSet || !hasGroups()) {
        return INVALID;
      }
      if (FakeFile.refuses(kernel)) {
        return -Errno.EPERM.number();
      }
      iommuSet = true;
      return 0;
    }
    if (!iommuSet) {
      return INVALID;
    }
    if (is(request, VfioLayout.VFIO_IOMMU_GET_INFO)) {
      return info(argument);
    }
    if (is(request, VfioLayout.VFIO_IOMMU_MAP_DMA)) {
      MemorySegment m = in(argument, VfioLayout.DMA_MAP);
      int flags = VfioLayout.DMA_MAP_FLAGS.getInt(m);
      if (VfioLayout.DMA_MAP_ARGSZ.get(m) != m.byteSize() || (flags & ~3) != 0) {
        return INVALID;
      }
      if (space.size() >= kernel.mostMappings) {
        return -Errno.ENOSPC.number();
      }
      return space.map(
          AddressRange.ofSize(VfioLayout.DMA_MAP_IOVA.get(m), VfioLayout.DMA_MAP_SIZE.get(m)),
          VfioLayout.DMA_MAP_VADDR.get(m),
          (flags & VfioLayout.MAP_READ) != 0,
          (flags & VfioLayout.MAP_WRITE) != 0);
    }
    if (is(request, VfioLayout.VFIO_IOMMU_UNMAP_DMA)) {
      MemorySegment m = in(argument, VfioLayout.DMA_UNMAP);
      if (VfioLayout.DMA_UNMAP_ARGSZ.get(m) != m.byteSize()
          || VfioLayout.DMA_UNMAP_FLAGS.get(m) != 0) {
        return INVALID;
      }
      OptionalLong gone =
          space.unmap(
              AddressRange.ofSize(
                  VfioLayout.DMA_UNMAP_IOVA.get(m), VfioLayout.DMA_UNMAP_SIZE.get(m)));
      gone.ifPresent(n -> VfioLayout.DMA_UNMAP_SIZE.set(m, n - kernel.unmapsLess));
      return gone.isPresent() ? 0 : INVALID;
    }
    if (is(request, VfioLayout.VFIO_IOMMU_DIRTY_PAGES)) {
      return dirty(argument);
    }
    return -Errno.ENOTTY.number();
  }

  /// `vfio_iommu_type1_dirty_pages`: with functions that do not pin pages themselves, all that is mapped counts as written.
  private int dirty(MemorySegment argument) {
    if (!kernel.remembersWrites) {
      return -Errno.ENOTTY.number();
    }
    MemorySegment s = in(argument, VfioLayout.DIRTY);
    int flags = VfioLayout.DIRTY_FLAGS.getInt(s);
    if (flags == VfioLayout.DIRTY_START || flags == VfioLayout.DIRTY_STOP) {
      logging = flags == VfioLayout.DIRTY_START;
      return 0;
    }
    long whole = s.byteSize() + VfioLayout.DIRTY_GET.bytes();
    if (flags != VfioLayout.DIRTY_GET_BITS || !logging || VfioLayout.DIRTY_ARGSZ.get(s) < whole) {
      return INVALID;
    }
    MemorySegment g = wide(argument, whole).asSlice(s.byteSize());
    MemorySegment b = g.asSlice(VfioLayout.DIRTY_GET_BITMAP.offset());
    AddressRange iovas =
        AddressRange.ofSize(VfioLayout.DIRTY_GET_IOVA.get(g), VfioLayout.DIRTY_GET_SIZE.get(g));
    long pages = iovas.bytes() / FakeSpace.PAGE;
    if (VfioLayout.BITMAP_PGSIZE.get(b) != FakeSpace.PAGE
        || VfioLayout.BITMAP_SIZE.get(b) < Math.ceilDiv(pages, 64) * 8
        || !space.isWhole(iovas)) {
      return INVALID;
    }
    for (long i = 0; i < pages; i++) {
      FakeSpace.mark(VfioLayout.BITMAP_DATA.get(b), i);
    }
    return 0;
  }

  /// As the kernel: with too little room only the size that is needed is told.
  private int info(MemorySegment argument) {
    MemorySegment s = in(argument, VfioLayout.TYPE1_INFO);
    long room = VfioLayout.TYPE1_ARGSZ.get(s);
    if (room < 16) {
      return INVALID;
    }
    int caps = VfioLayout.TYPE1_INFO.bytes();
    long ranges = VfioLayout.IOVA_RANGES_CAP.bytes() + 16L * FakeSpace.RANGES.size();
    long avail = caps + ranges;
    long migration = avail + 16;
    boolean remembers = kernel.remembersWrites;
    long needed = migration + (remembers ? VfioLayout.MIGRATION_CAP.bytes() : 0);
    VfioLayout.TYPE1_FLAGS.set(
        s, VfioLayout.TYPE1_HAS_PGSIZES | (kernel.tellsRanges ? VfioLayout.TYPE1_HAS_CAPS : 0));
    VfioLayout.TYPE1_PGSIZES.set(s, 0x4020_1000L);
    if (!kernel.tellsRanges) {
      return 0;
    }
    if (room < needed) {
      VfioLayout.TYPE1_ARGSZ.set(s, needed);
      return 0;
    }
    MemorySegment w = wide(argument, room);
    VfioLayout.TYPE1_CAP_OFFSET.set(w, caps);
    VfioLayout.CAP_ID.set(w, caps, VfioLayout.CAP_IOVA_RANGES);
    VfioLayout.CAP_NEXT.set(w, caps, avail);
    VfioLayout.CAP_ID.set(w, avail, VfioLayout.CAP_DMA_AVAIL);
    VfioLayout.CAP_NEXT.set(w, avail, remembers ? migration : 0);
    VfioLayout.DMA_AVAIL.set(w, avail, kernel.mostMappings - space.size());
    if (remembers) {
      VfioLayout.CAP_ID.set(w, migration, VfioLayout.CAP_MIGRATION);
      VfioLayout.MIGRATION_PGSIZES.set(w, migration, 0x1000);
      VfioLayout.MIGRATION_MAX_BITMAP.set(w, migration, 0x1000_0000);
    }
    VfioLayout.IOVA_RANGES_NR.set(w, caps, FakeSpace.RANGES.size());
    long at = caps + VfioLayout.IOVA_RANGES.offset();
    for (AddressRange r : kernel.ranges()) {
      VfioLayout.IOVA_START.set(w, at, r.start());
      VfioLayout.IOVA_END.set(w, at, r.last());
      at += VfioLayout.IOVA_RANGE.bytes();
    }
    return 0;
  }
}
