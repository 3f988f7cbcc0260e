package dev.doorbell.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.doorbell.address.AddressRange;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/// An open file of the fake kernel.
abstract class FakeFile {
  static final int INVALID = -Errno.EINVAL.number();
  final FakeKernel kernel;
  final String path;

  FakeFile(FakeKernel kernel, String path) {
    this.kernel = kernel;
    this.path = path;
  }

  static @Nullable FakeFile open(FakeKernel kernel, String path) {
    if (path.equals("/dev/vfio/vfio")) {
      return new ContainerFile(kernel, path);
    }
    if (path.equals("/dev/iommu")) {
      return new IommufdFile(kernel, path);
    }
    for (FakeFunction f : kernel.functions.values()) {
      if (!f.driver.equals("vfio-pci")) {
        continue;
      }
      if (path.equals("/dev/vfio/" + f.group)) {
        return new GroupFile(kernel, path, f);
      }
      if (path.equals("/dev/vfio/devices/vfio" + f.group)) {
        return new FakeDeviceFile(kernel, path, f);
      }
    }
    return null;
  }

  /// {@return the mappings that a function's requests meet}
  static Optional<FakeSpace> spaceOf(FakeKernel kernel, FakeFunction f) {
    for (FakeFile file : kernel.files.values()) {
      if (file instanceof GroupFile g && g.function == f && g.container != null) {
        return Optional.of(g.container.space);
      }
      if (file instanceof FakeDeviceFile d && d.function == f && d.attached != null) {
        return Optional.of(d.attached.space);
      }
    }
    return Optional.empty();
  }

  boolean exclusive() {
    return false;
  }

  abstract int ioctl(int request, MemorySegment argument);

  long access(boolean write, MemorySegment data, long offset) {
    return INVALID;
  }

  /// `mmap`: a copy of the registers as they are now.
  long map(long bytes, long offset) {
    return -Errno.ENODEV.number();
  }

  /// {@return memory with what a BAR reads}
  @SuppressWarnings("restricted")
  static long copyOf(FakeFunction f, int bar, long bytes, long start) {
    SystemCalls real = SystemCalls.ofProcess();
    long at =
        real.mmap(
            bytes,
            KernelConstants.PROT_READ | KernelConstants.PROT_WRITE,
            KernelConstants.MAP_PRIVATE | KernelConstants.MAP_ANONYMOUS,
            -1,
            0);
    MemorySegment m = MemorySegment.ofAddress(at).reinterpret(bytes);
    for (long i = 0; i + Integer.BYTES <= bytes; i += Integer.BYTES) {
      m.set(JAVA_INT, i, (int) f.window(bar).read(start + i, Integer.BYTES));
    }
    return at;
  }

  void released() {}

  static boolean is(int request, Ioctl i) {
    return request == i.number();
  }

  /// The argument as the kernel copies it in.
  @SuppressWarnings("restricted")
  static MemorySegment in(MemorySegment argument, Struct s) {
    return MemorySegment.ofAddress(argument.address()).reinterpret(s.bytes());
  }

  @SuppressWarnings("restricted")
  static MemorySegment wide(MemorySegment argument, long bytes) {
    return MemorySegment.ofAddress(argument.address()).reinterpret(bytes);
  }

  private static boolean refuses(FakeKernel kernel) {
    try {
      return kernel.refusesIsolation();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static final class ContainerFile extends FakeFile {
    final FakeSpace space = new FakeSpace();
    boolean iommuSet;

    ContainerFile(FakeKernel kernel, String path) {
      super(kernel, path);
    }

    boolean hasGroups() {
      return kernel.files.values().stream()
          .anyMatch(f -> f instanceof GroupFile g && g.container == this);
    }

    @Override
    int ioctl(int request, MemorySegment argument) {
      if (is(request, VfioLayout.VFIO_GET_API_VERSION)) {
        return 0;
      }
      if (is(request, VfioLayout.VFIO_CHECK_EXTENSION)) {
        return List.of(1L, 3L, 6L, 9L).contains(argument.address()) ? 1 : 0;
      }
      if (is(request, VfioLayout.VFIO_SET_IOMMU)) {
        if (argument.address() != VfioLayout.TYPE1V2_IOMMU || iommuSet || !hasGroups()) {
          return INVALID;
        }
        if (refuses(kernel)) {
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
        gone.ifPresent(n -> VfioLayout.DMA_UNMAP_SIZE.set(m, n));
        return gone.isPresent() ? 0 : INVALID;
      }
      return -Errno.ENOTTY.number();
    }

    /// As the kernel: with too little room only the size that is needed is told.
    private static int info(MemorySegment argument) {
      MemorySegment s = in(argument, VfioLayout.TYPE1_INFO);
      long room = VfioLayout.TYPE1_ARGSZ.get(s);
      if (room < 16) {
        return INVALID;
      }
      int caps = VfioLayout.TYPE1_INFO.bytes();
      long needed = caps + VfioLayout.IOVA_RANGES_CAP.bytes() + 16L * FakeSpace.RANGES.size();
      VfioLayout.TYPE1_FLAGS.set(s, VfioLayout.TYPE1_HAS_PGSIZES | VfioLayout.TYPE1_HAS_CAPS);
      VfioLayout.TYPE1_PGSIZES.set(s, 0x4020_1000L);
      if (room < needed) {
        VfioLayout.TYPE1_ARGSZ.set(s, needed);
        return 0;
      }
      MemorySegment w = wide(argument, room);
      VfioLayout.TYPE1_CAP_OFFSET.set(w, caps);
      VfioLayout.CAP_ID.set(w, caps, VfioLayout.CAP_IOVA_RANGES);
      VfioLayout.CAP_NEXT.set(w, caps, 0);
      VfioLayout.IOVA_RANGES_NR.set(w, caps, FakeSpace.RANGES.size());
      long at = caps + VfioLayout.IOVA_RANGES.offset();
      for (AddressRange r : FakeSpace.RANGES) {
        VfioLayout.IOVA_START.set(w, at, r.start());
        VfioLayout.IOVA_END.set(w, at, r.last());
        at += VfioLayout.IOVA_RANGE.bytes();
      }
      return 0;
    }
  }

  static final class GroupFile extends FakeFile {
    final FakeFunction function;
    @Nullable ContainerFile container;

    GroupFile(FakeKernel kernel, String path, FakeFunction function) {
      super(kernel, path);
      this.function = function;
    }

    @Override
    boolean exclusive() {
      return true;
    }

    @Override
    int ioctl(int request, MemorySegment argument) {
      if (is(request, VfioLayout.VFIO_GROUP_GET_STATUS)) {
        MemorySegment s = in(argument, VfioLayout.GROUP_STATUS);
        VfioLayout.GROUP_FLAGS.set(s, VfioLayout.GROUP_VIABLE | (container == null ? 0 : 2));
        return VfioLayout.GROUP_ARGSZ.get(s) < 8 ? INVALID : 0;
      }
      if (is(request, VfioLayout.VFIO_GROUP_SET_CONTAINER)) {
        int fd = wide(argument, Integer.BYTES).get(JAVA_INT, 0);
        if (!(kernel.files.get(fd) instanceof ContainerFile c)) {
          return INVALID;
        }
        if (container != null) {
          return INVALID;
        }
        container = c;
        return 0;
      }
      if (is(request, VfioLayout.VFIO_GROUP_UNSET_CONTAINER)) {
        return container == null ? INVALID : unset();
      }
      if (is(request, VfioLayout.VFIO_GROUP_GET_DEVICE_FD)) {
        if (container == null || !container.iommuSet) {
          return INVALID;
        }
        String name = wide(argument, 64).getString(0);
        return name.equals(function.sbdf.toString())
            ? kernel.adopt(new FakeDeviceFile(kernel, "device of " + path, function))
            : -Errno.ENODEV.number();
      }
      return -Errno.ENOTTY.number();
    }

    private int unset() {
      if (kernel.files.values().stream()
          .anyMatch(f -> f instanceof FakeDeviceFile d && d.function == function)) {
        return -Errno.EBUSY.number();
      }
      leave();
      return 0;
    }

    private void leave() {
      ContainerFile c = container;
      container = null;
      if (c != null && !c.hasGroups()) {
        c.space.clear();
        c.iommuSet = false;
      }
    }

    @Override
    void released() {
      leave();
    }
  }

  static final class IommufdFile extends FakeFile {
    private static final int IOAS = 7;
    final FakeSpace space = new FakeSpace();
    private boolean allocated;

    IommufdFile(FakeKernel kernel, String path) {
      super(kernel, path);
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
      return -Errno.ENOTTY.number();
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
      IommufdLayout.UNMAP_LENGTH.set(m, gone.getAsLong());
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
      IommufdLayout.RANGES_OUT_ALIGNMENT.set(s, 0x1000);
      for (int i = 0; i < FakeSpace.RANGES.size(); i++) {
        IommufdLayout.RANGE_START.set(out, i * 16L, FakeSpace.RANGES.get(i).start());
        IommufdLayout.RANGE_LAST.set(out, i * 16L, FakeSpace.RANGES.get(i).last());
      }
      return 0;
    }

    private static boolean sized(MemorySegment s, Struct struct) {
      return IommufdLayout.MAP_SIZE.get(s) == struct.bytes();
    }
  }
}
