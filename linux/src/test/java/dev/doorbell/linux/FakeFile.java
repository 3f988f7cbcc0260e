package dev.doorbell.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
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
      return kernel.power == FakePower.NONE
          ? new FakeContainer(kernel, path)
          : new FakeSpaprContainer(kernel, path);
    }
    if (path.equals("/dev/iommu")) {
      return new FakeIommufd(kernel, path);
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

  /// {@return whether the tables that a function's requests meet remember what it writes}
  static boolean remembers(FakeKernel kernel, FakeFunction f) {
    return kernel.files.values().stream()
        .anyMatch(file ->
            file instanceof FakeDeviceFile d
                && d.function == f
                && d.attached != null
                && d.attached.remembers(d.table));
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

  static boolean refuses(FakeKernel kernel) {
    try {
      return kernel.refusesIsolation();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static final class GroupFile extends FakeFile {
    final FakeFunction function;
    @Nullable FakeContainer container;

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
        boolean viable = function.driver.equals("vfio-pci");
        VfioLayout.GROUP_FLAGS.set(
            s, (viable ? VfioLayout.GROUP_VIABLE : 0) | (container == null ? 0 : 2));
        return VfioLayout.GROUP_ARGSZ.get(s) < 8 ? INVALID : 0;
      }
      if (is(request, VfioLayout.VFIO_GROUP_SET_CONTAINER)) {
        int fd = wide(argument, Integer.BYTES).get(JAVA_INT, 0);
        if (!(kernel.files.get(fd) instanceof FakeContainer c)) {
          return INVALID;
        }
        if (container != null) {
          return INVALID;
        }
        int refused = c.refuses(function);
        container = refused == 0 ? c : null;
        return refused;
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
      FakeContainer c = container;
      container = null;
      if (c != null && !c.hasGroups()) {
        c.empty();
      }
    }

    @Override
    void released() {
      leave();
    }
  }
}
