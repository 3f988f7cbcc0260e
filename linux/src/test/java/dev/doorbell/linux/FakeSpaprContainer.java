package dev.doorbell.linux;

import dev.doorbell.address.AddressRange;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// `/dev/vfio/vfio` of a fake POWER server.
///
/// **Source**: Linux 6.12 `drivers/vfio/vfio_iommu_spapr_tce.c`, `arch/powerpc/mm/book3s64/iommu_api.c`
final class FakeSpaprContainer extends FakeContainer {
  private static final AddressRange FIRST = AddressRange.ofSize(0, 0x8000_0000L);
  private static final long PAGE_SIZES = 0x4021_1000L;
  private static final int MOST_WINDOWS = 2;
  private static final int LEVELS = 5;

  private record Window(AddressRange iovas, int shift) {}

  private final List<Window> windows = new ArrayList<>();
  private final List<AddressRange> registered = new ArrayList<>();
  private boolean registers;
  private boolean enabled;
  private boolean firstPending;

  FakeSpaprContainer(FakeKernel kernel, String path) {
    super(kernel, path);
  }

  @Override
  boolean has(long extension) {
    return List.of(2L, 5L, 7L).contains(extension);
  }

  @Override
  int refuses(FakeFunction joining) {
    if (!hasGroups()) {
      return 0;
    }
    return switch (kernel.power) {
      case V1 -> -Errno.EBUSY.number();
      case PSERIES -> -Errno.EPERM.number();
      default -> 0;
    };
  }

  @Override
  void empty() {
    super.empty();
    windows.clear();
    registered.clear();
    enabled = false;
  }

  @Override
  int ioctl(int request, MemorySegment argument) {
    if (is(request, VfioLayout.VFIO_GET_API_VERSION)
        || is(request, VfioLayout.VFIO_CHECK_EXTENSION)) {
      return super.ioctl(request, argument);
    }
    if (is(request, VfioLayout.VFIO_SET_IOMMU)) {
      return choose(argument.address());
    }
    if (!iommuSet) {
      return INVALID;
    }
    if (is(request, SpaprLayout.VFIO_IOMMU_SPAPR_TCE_GET_INFO)) {
      return info(in(argument, SpaprLayout.INFO));
    }
    if (is(request, VfioLayout.VFIO_IOMMU_MAP_DMA)) {
      return map(in(argument, VfioLayout.DMA_MAP));
    }
    if (is(request, VfioLayout.VFIO_IOMMU_UNMAP_DMA)) {
      return unmap(in(argument, VfioLayout.DMA_UNMAP));
    }
    return registers ? second(request, argument) : first(request);
  }

  private int choose(long kind) {
    boolean second = kind == SpaprLayout.SPAPR_TCE_V2_IOMMU;
    if (iommuSet || !hasGroups() || !second && kind != SpaprLayout.SPAPR_TCE_IOMMU) {
      return INVALID;
    }
    if (second == (kernel.power == FakePower.V1)) {
      return -Errno.EPERM.number();
    }
    iommuSet = true;
    registers = second;
    firstPending = second;
    if (!second) {
      windows.add(new Window(FIRST, 12));
    }
    return 0;
  }

  /// Requests of version 1 alone.
  private int first(int request) {
    if (is(request, SpaprLayout.VFIO_IOMMU_ENABLE)) {
      if (enabled) {
        return -Errno.EBUSY.number();
      }
      if (FIRST.bytes() > kernel.mayLock) {
        return -Errno.ENOMEM.number();
      }
      enabled = true;
      return 0;
    }
    return -Errno.ENOTTY.number();
  }

  /// Requests of version 2 alone.
  private int second(int request, MemorySegment argument) {
    if (is(request, SpaprLayout.VFIO_IOMMU_SPAPR_REGISTER_MEMORY)) {
      return register(in(argument, SpaprLayout.MEMORY));
    }
    if (is(request, SpaprLayout.VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY)) {
      return unregister(in(argument, SpaprLayout.MEMORY));
    }
    if (is(request, SpaprLayout.VFIO_IOMMU_SPAPR_TCE_CREATE)) {
      return create(in(argument, SpaprLayout.CREATE));
    }
    if (is(request, SpaprLayout.VFIO_IOMMU_SPAPR_TCE_REMOVE)) {
      return remove(in(argument, SpaprLayout.REMOVE));
    }
    return -Errno.ENOTTY.number();
  }

  private int info(MemorySegment s) {
    if (SpaprLayout.INFO_ARGSZ.get(s) < s.byteSize()) {
      return INVALID;
    }
    SpaprLayout.INFO_DMA32_START.set(s, FIRST.start());
    SpaprLayout.INFO_DMA32_SIZE.set(s, FIRST.bytes());
    SpaprLayout.INFO_FLAGS.set(s, registers ? SpaprLayout.INFO_DDW : 0);
    SpaprLayout.INFO_DDW_PGSIZES.set(s, registers ? PAGE_SIZES : 0);
    SpaprLayout.INFO_DDW_WINDOWS.set(s, registers ? MOST_WINDOWS : 0);
    SpaprLayout.INFO_DDW_LEVELS.set(s, registers ? LEVELS : 0);
    return 0;
  }

  private static AddressRange memory(MemorySegment s) {
    return AddressRange.ofSize(SpaprLayout.MEMORY_VADDR.get(s), SpaprLayout.MEMORY_SIZE.get(s));
  }

  private static boolean isWhole(MemorySegment s) {
    long both = SpaprLayout.MEMORY_VADDR.get(s) | SpaprLayout.MEMORY_SIZE.get(s);
    return SpaprLayout.MEMORY_ARGSZ.get(s) == s.byteSize()
        && SpaprLayout.MEMORY_FLAGS.get(s) == 0
        && both % FakeSpace.PAGE == 0;
  }

  private int register(MemorySegment s) {
    if (!isWhole(s)) {
      return INVALID;
    }
    AddressRange m = memory(s);
    if (registered.contains(m)) {
      return -Errno.EBUSY.number();
    }
    if (registered.stream().anyMatch(m::overlaps)) {
      return INVALID;
    }
    if (locked() + m.bytes() > kernel.mayLock) {
      return -Errno.ENOMEM.number();
    }
    registered.add(m);
    enabled = true;
    return 0;
  }

  private int unregister(MemorySegment s) {
    AddressRange m = memory(s);
    if (!isWhole(s)) {
      return INVALID;
    }
    if (!registered.contains(m)) {
      return -Errno.ENOENT.number();
    }
    if (space.reaches(m)) {
      return -Errno.EBUSY.number();
    }
    registered.remove(m);
    return 0;
  }

  /// The table of the first window, and the kernel's copy, are locked memory of the process when it is made: `tce_iommu_create_default_window`.
  private boolean makeFirst() {
    if (firstPending) {
      if (locked() + 2 * (FIRST.bytes() >>> 12) * Long.BYTES > kernel.mayLock) {
        return false;
      }
      firstPending = false;
      windows.addFirst(new Window(FIRST, 12));
    }
    return true;
  }

  private long locked() {
    return registered.stream().mapToLong(AddressRange::bytes).sum();
  }

  private int create(MemorySegment s) {
    int shift = SpaprLayout.CREATE_PAGE_SHIFT.getInt(s);
    long bytes = SpaprLayout.CREATE_WINDOW_SIZE.get(s);
    int levels = SpaprLayout.CREATE_LEVELS.getInt(s);
    if (SpaprLayout.CREATE_ARGSZ.get(s) < s.byteSize() || SpaprLayout.CREATE_FLAGS.get(s) != 0) {
      return INVALID;
    }
    if (!makeFirst()) {
      return -Errno.ENOMEM.number();
    }
    if (windows.size() >= MOST_WINDOWS) {
      return -Errno.ENOSPC.number();
    }
    // One level of a table has one run of memory, which is not to be had above some size.
    boolean fits = (bytes >>> shift) * Long.BYTES >>> 4 * (levels - 1) <= 0x40_0000;
    if ((PAGE_SIZES >>> shift & 1) == 0 || Long.bitCount(bytes) != 1 || levels > LEVELS) {
      return INVALID;
    }
    if (!fits) {
      return -Errno.ENOMEM.number();
    }
    long start = windows.isEmpty() ? 0 : 0x0800_0000_0000_0000L;
    windows.add(new Window(AddressRange.ofSize(start, bytes), shift));
    SpaprLayout.CREATE_START_ADDR.set(s, start);
    return 0;
  }

  private int remove(MemorySegment s) {
    long start = SpaprLayout.REMOVE_START_ADDR.get(s);
    if (SpaprLayout.REMOVE_ARGSZ.get(s) < s.byteSize() || SpaprLayout.REMOVE_FLAGS.get(s) != 0) {
      return INVALID;
    }
    if (firstPending && start == 0) {
      firstPending = false;
      return 0;
    }
    return windows.removeIf(w -> w.iovas.contains(start)) ? 0 : INVALID;
  }

  private Window window(long iova) {
    return windows.stream().filter(w -> w.iovas.contains(iova)).findFirst().orElse(null);
  }

  private int map(MemorySegment m) {
    if (!enabled) {
      return -Errno.EPERM.number();
    }
    int flags = VfioLayout.DMA_MAP_FLAGS.getInt(m);
    long iova = VfioLayout.DMA_MAP_IOVA.get(m);
    long size = VfioLayout.DMA_MAP_SIZE.get(m);
    long address = VfioLayout.DMA_MAP_VADDR.get(m);
    if (!makeFirst()) {
      return -Errno.ENOMEM.number();
    }
    Window w = window(iova);
    if (w == null) {
      return -Errno.ENXIO.number();
    }
    long page = 1L << w.shift;
    if (VfioLayout.DMA_MAP_ARGSZ.get(m) < m.byteSize()
        || flags < 1
        || flags > 3
        || (size | address | iova) % page != 0) {
      return INVALID;
    }
    for (long at = 0; at < size; at += page) {
      AddressRange memory = AddressRange.ofSize(address + at, page);
      int refused = 0;
      if (registers && registered.stream().noneMatch(r -> r.contains(memory))) {
        refused = INVALID;
      } else if (page > FakeSpace.PAGE) {
        // Memory here has no huge pages.
        refused = -Errno.EPERM.number();
      }
      if (refused != 0) {
        space.unmap(AddressRange.ofSize(iova, size));
        return refused;
      }
      space.replace(
          AddressRange.ofSize(iova + at, page), memory.start(), (flags & 1) != 0, (flags & 2) != 0);
    }
    return 0;
  }

  /// The size is left as it was asked for.
  private int unmap(MemorySegment m) {
    if (!enabled) {
      return -Errno.EPERM.number();
    }
    AddressRange iovas =
        AddressRange.ofSize(VfioLayout.DMA_UNMAP_IOVA.get(m), VfioLayout.DMA_UNMAP_SIZE.get(m));
    if (!makeFirst()) {
      return -Errno.ENOMEM.number();
    }
    Window w = window(iovas.start());
    if (w == null) {
      return -Errno.ENXIO.number();
    }
    if (!w.iovas.contains(iovas) || (iovas.start() | iovas.bytes()) % (1L << w.shift) != 0) {
      return INVALID;
    }
    space.unmap(iovas);
    return 0;
  }
}
