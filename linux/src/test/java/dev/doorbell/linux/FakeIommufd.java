package dev.doorbell.linux;

import dev.doorbell.address.AddressRange;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;

/// `/dev/iommu` of the fake kernel.
final class FakeIommufd extends FakeFile {
  private static final int IOAS = 7;
  final FakeSpace space = new FakeSpace();
  private boolean allocated;

  /// Tables that users made, and whether they remember.
  private final Map<Integer, Boolean> made = new HashMap<>();

  private int next = 100;

  FakeIommufd(FakeKernel kernel, String path) {
    super(kernel, path);
  }

  boolean isTable(int id) {
    return isIoas(id) || made.containsKey(id);
  }

  boolean remembers(int table) {
    return made.getOrDefault(table, false);
  }

  /// {@return how many tables its users made}
  int tables() {
    return made.size();
  }

  boolean isIoas(int id) {
    return allocated && id == IOAS;
  }

  /// The same rule as a container's.
  boolean refuses() {
    return FakeFile.refuses(kernel);
  }

  @Override
  int ioctl(int request, MemorySegment argument) {
    if (is(request, IommufdLayout.IOMMU_IOAS_ALLOC)) {
      MemorySegment s = in(argument, IommufdLayout.IOAS_ALLOC);
      allocated = true;
      IommufdLayout.ALLOC_OUT_IOAS_ID.set(s, IOAS);
      return sized(s, IommufdLayout.IOAS_ALLOC) && IommufdLayout.ALLOC_FLAGS.get(s) == 0
          ? 0
          : INVALID;
    }
    if (is(request, IommufdLayout.IOMMU_IOAS_IOVA_RANGES)) {
      return ranges(in(argument, IommufdLayout.IOVA_RANGES));
    }
    if (is(request, IommufdLayout.IOMMU_IOAS_MAP)) {
      MemorySegment m = in(argument, IommufdLayout.MAP);
      int flags = IommufdLayout.MAP_FLAGS.getInt(m);
      if (!sized(m, IommufdLayout.MAP)
          || !isIoas(IommufdLayout.MAP_IOAS_ID.getInt(m))
          || IommufdLayout.MAP_RESERVED.get(m) != 0
          || (flags & ~7) != 0
          || (flags & IommufdLayout.MAP_FIXED_IOVA) == 0) {
        return INVALID;
      }
      return space.map(
          AddressRange.ofSize(IommufdLayout.MAP_IOVA.get(m), IommufdLayout.MAP_LENGTH.get(m)),
          IommufdLayout.MAP_USER_VA.get(m),
          (flags & IommufdLayout.MAP_READABLE) != 0,
          (flags & IommufdLayout.MAP_WRITEABLE) != 0);
    }
    if (is(request, IommufdLayout.IOMMU_IOAS_UNMAP)) {
      return unmap(in(argument, IommufdLayout.UNMAP));
    }
    return tables(request, argument);
  }

  /// Tables that remember, of a kernel that has them.
  private int tables(int request, MemorySegment argument) {
    if (!kernel.hasDirtyTables) {
      return -Errno.ENOTTY.number();
    }
    if (is(request, IommufdLayout.IOMMU_HWPT_ALLOC)) {
      MemorySegment s = in(argument, IommufdLayout.HWPT_ALLOC);
      if (!sized(s, IommufdLayout.HWPT_ALLOC)
          || !isIoas(IommufdLayout.HWPT_ALLOC_PT_ID.getInt(s))
          || !hasDevice(IommufdLayout.HWPT_ALLOC_DEV_ID.getInt(s))) {
        return -Errno.ENOENT.number();
      }
      if (!kernel.remembersWrites) {
        return -Errno.EOPNOTSUPP.number();
      }
      made.put(next, false);
      IommufdLayout.HWPT_ALLOC_OUT_ID.set(s, next++);
      return 0;
    }
    if (is(request, IommufdLayout.IOMMU_HWPT_SET_DIRTY_TRACKING)) {
      MemorySegment s = in(argument, IommufdLayout.SET_DIRTY);
      int id = IommufdLayout.SET_DIRTY_HWPT_ID.getInt(s);
      if (!sized(s, IommufdLayout.SET_DIRTY) || !made.containsKey(id)) {
        return -Errno.ENOENT.number();
      }
      made.put(id, IommufdLayout.SET_DIRTY_FLAGS.get(s) == IommufdLayout.DIRTY_ENABLE);
      space.takeWritten(AddressRange.ALL);
      return 0;
    }
    if (is(request, IommufdLayout.IOMMU_HWPT_GET_DIRTY_BITMAP)) {
      return written(in(argument, IommufdLayout.GET_DIRTY));
    }
    if (is(request, IommufdLayout.IOMMU_DESTROY)) {
      MemorySegment s = in(argument, IommufdLayout.DESTROY);
      int id = IommufdLayout.DESTROY_ID.getInt(s);
      if (kernel.files.values().stream()
          .anyMatch(f -> f instanceof FakeDeviceFile d && d.attached == this && d.table == id)) {
        return -Errno.EBUSY.number();
      }
      return made.remove(id) == null ? -Errno.ENOENT.number() : 0;
    }
    return -Errno.ENOTTY.number();
  }

  private boolean hasDevice(int id) {
    return kernel.files.values().stream()
        .anyMatch(f -> f instanceof FakeDeviceFile d && d.bound == this && d.id() == id);
  }

  private int written(MemorySegment s) {
    AddressRange iovas =
        AddressRange.ofSize(
            IommufdLayout.GET_DIRTY_IOVA.get(s), IommufdLayout.GET_DIRTY_LENGTH.get(s));
    if (!sized(s, IommufdLayout.GET_DIRTY)
        || !made.getOrDefault(IommufdLayout.GET_DIRTY_HWPT_ID.getInt(s), false)
        || IommufdLayout.GET_DIRTY_PAGE_SIZE.get(s) != FakeSpace.PAGE
        || !space.isWhole(iovas)) {
      return INVALID;
    }
    for (long page : space.takeWritten(iovas)) {
      FakeSpace.mark(IommufdLayout.GET_DIRTY_DATA.get(s), (page - iovas.start()) / FakeSpace.PAGE);
    }
    return 0;
  }

  private int unmap(MemorySegment m) {
    if (!sized(m, IommufdLayout.UNMAP) || !isIoas(IommufdLayout.UNMAP_IOAS_ID.getInt(m))) {
      return INVALID;
    }
    long start = IommufdLayout.UNMAP_IOVA.get(m);
    long length = IommufdLayout.UNMAP_LENGTH.get(m);
    AddressRange r =
        start == 0 && length == -1 ? AddressRange.ALL : AddressRange.ofSize(start, length);
    OptionalLong gone = space.unmap(r);
    if (gone.isEmpty() || gone.getAsLong() == 0) {
      return -Errno.ENOENT.number();
    }
    IommufdLayout.UNMAP_LENGTH.set(m, gone.getAsLong() - kernel.unmapsLess);
    return 0;
  }

  private int ranges(MemorySegment s) {
    if (!sized(s, IommufdLayout.IOVA_RANGES)
        || !isIoas(IommufdLayout.RANGES_IOAS_ID.getInt(s))
        || IommufdLayout.RANGES_RESERVED.get(s) != 0) {
      return INVALID;
    }
    long room = IommufdLayout.RANGES_NUM.get(s);
    MemorySegment out =
        wide(MemorySegment.ofAddress(IommufdLayout.RANGES_ALLOWED.get(s)), room * 16);
    IommufdLayout.RANGES_NUM.set(s, FakeSpace.RANGES.size());
    IommufdLayout.RANGES_OUT_ALIGNMENT.set(s, kernel.alignment);
    for (int i = 0; i < FakeSpace.RANGES.size(); i++) {
      IommufdLayout.RANGE_START.set(out, i * 16L, kernel.ranges().get(i).start());
      IommufdLayout.RANGE_LAST.set(out, i * 16L, kernel.ranges().get(i).last());
    }
    return 0;
  }

  private static boolean sized(MemorySegment s, Struct struct) {
    return IommufdLayout.MAP_SIZE.get(s) == struct.bytes();
  }
}
