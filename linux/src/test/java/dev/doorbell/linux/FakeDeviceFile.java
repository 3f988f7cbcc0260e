package dev.doorbell.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.doorbell.address.AddressRange;
import dev.doorbell.hw.pcie.BarModel;
import dev.doorbell.pci.MsixCapability;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The open file of a function bound to vfio-pci, from its group or on its own.
final class FakeDeviceFile extends FakeFile {
  private static final int REGION_SHIFT = 40;
  private static final int CONFIG = 7;
  private static final int CAP_MSIX_MAPPABLE = 3;

  final FakeFunction function;
  @Nullable FakeIommufd bound;
  @Nullable FakeIommufd attached;

  /// The tables that its requests meet: the IOAS, or some of its own.
  int table;

  FakeDeviceFile(FakeKernel kernel, String path, FakeFunction function) {
    super(kernel, path);
    this.function = function;
  }

  /// A function's own file opens for many, and binds for one.
  private boolean isOwn() {
    return path.startsWith("/dev/vfio/devices/");
  }

  @Override
  boolean exclusive() {
    return !isOwn();
  }

  /// By which iommufd knows it.
  int id() {
    return 0x40 + function.group;
  }

  private boolean isBoundElsewhere() {
    return kernel.files.values().stream()
        .anyMatch(o -> o instanceof FakeDeviceFile d && d.path.equals(path) && d.bound != null);
  }

  @Override
  void released() {
    if (isOwn() && bound == null) {
      return;
    }
    function.closed();
    kernel.sysfs.show(function);
  }

  @Override
  long map(long bytes, long offset) {
    int index = (int) (offset >>> REGION_SHIFT);
    return function.bar(index).isEmpty()
        ? INVALID
        : copyOf(function, index, bytes, offset & (1L << REGION_SHIFT) - 1);
  }

  @Override
  int ioctl(int request, MemorySegment argument) {
    int answer = answer(request, argument);
    kernel.sysfs.show(function);
    return answer;
  }

  private int answer(int request, MemorySegment argument) {
    if (is(request, IommufdLayout.VFIO_DEVICE_BIND_IOMMUFD)) {
      MemorySegment s = in(argument, IommufdLayout.BIND);
      if (IommufdLayout.BIND_ARGSZ.get(s) != s.byteSize()
          || IommufdLayout.BIND_FLAGS.get(s) != 0
          || isBoundElsewhere()
          || !(kernel.files.get(IommufdLayout.BIND_IOMMUFD.getInt(s)) instanceof FakeIommufd i)) {
        return INVALID;
      }
      if (i.refuses()) {
        return -Errno.EPERM.number();
      }
      bound = i;
      IommufdLayout.BIND_OUT_DEVID.set(s, id());
      return 0;
    }
    if (is(request, IommufdLayout.VFIO_DEVICE_ATTACH_IOMMUFD_PT)) {
      MemorySegment s = in(argument, IommufdLayout.ATTACH);
      int wanted = IommufdLayout.ATTACH_PT_ID.getInt(s);
      if (bound == null || !bound.isTable(wanted)) {
        return INVALID;
      }
      attached = bound;
      table = wanted;
      return 0;
    }
    if (isOwn() && bound == null) {
      return INVALID;
    }
    if (is(request, VfioLayout.VFIO_DEVICE_GET_REGION_INFO)) {
      return region(argument);
    }
    if (is(request, VfioLayout.VFIO_DEVICE_GET_IRQ_INFO)) {
      return irqs(in(argument, VfioLayout.IRQ_INFO));
    }
    if (is(request, VfioLayout.VFIO_DEVICE_SET_IRQS)) {
      return setIrqs(argument);
    }
    if (is(request, VfioLayout.VFIO_DEVICE_RESET)) {
      function.reset();
      return 0;
    }
    if (is(request, VfioLayout.VFIO_DEVICE_GET_PCI_HOT_RESET_INFO)) {
      return FakeHotReset.info(this, argument);
    }
    if (is(request, VfioLayout.VFIO_DEVICE_PCI_HOT_RESET)) {
      return FakeHotReset.perform(this, argument);
    }
    return -Errno.ENOTTY.number();
  }

  private int region(MemorySegment argument) {
    MemorySegment s = in(argument, VfioLayout.REGION_INFO);
    int index = VfioLayout.REGION_INDEX.getInt(s);
    long room = VfioLayout.REGION_ARGSZ.get(s);
    if (room < s.byteSize() || index < 0 || index > CONFIG) {
      return INVALID;
    }
    int all = VfioLayout.REGION_READ | (function.mayBeWritten ? VfioLayout.REGION_WRITE : 0);
    VfioLayout.REGION_OFFSET.set(s, (long) index << REGION_SHIFT);
    VfioLayout.REGION_CAP_OFFSET.set(s, 0);
    if (index == CONFIG) {
      VfioLayout.REGION_SIZE.set(s, function.model.config().size() - function.hiddenConfig);
      VfioLayout.REGION_FLAGS.set(s, all);
      return 0;
    }
    Optional<BarModel> bar = function.bar(index);
    VfioLayout.REGION_SIZE.set(s, bar.map(BarModel::bytes).orElse(0L));
    boolean hasTable = function.msix().filter(m -> m.tableBar() == index).isPresent();
    boolean hasParts = index == 0 && !function.sparse.isEmpty();
    VfioLayout.REGION_FLAGS.set(
        s,
        bar.isEmpty()
            ? 0
            : all
                | (function.mayBeMapped ? VfioLayout.REGION_MMAP : 0)
                | (hasTable || hasParts ? VfioLayout.REGION_CAPS : 0));
    if (hasParts) {
      parts(s, argument, room);
    }
    if (hasTable) {
      long needed = s.byteSize() + VfioLayout.CAP_HEADER.bytes();
      if (room < needed) {
        VfioLayout.REGION_ARGSZ.set(s, needed);
      } else {
        MemorySegment w = wide(argument, room);
        VfioLayout.REGION_CAP_OFFSET.set(s, s.byteSize());
        VfioLayout.CAP_ID.set(w, s.byteSize(), CAP_MSIX_MAPPABLE);
        VfioLayout.CAP_NEXT.set(w, s.byteSize(), 0);
      }
    }
    return 0;
  }

  private void parts(MemorySegment s, MemorySegment argument, long room) {
    long at = s.byteSize();
    long areas = at + VfioLayout.SPARSE_AREAS.offset();
    long needed = areas + (long) function.sparse.size() * VfioLayout.SPARSE_AREA.bytes();
    if (room < needed) {
      VfioLayout.REGION_ARGSZ.set(s, needed);
      return;
    }
    MemorySegment w = wide(argument, room);
    VfioLayout.REGION_CAP_OFFSET.set(s, at);
    VfioLayout.CAP_ID.set(w, at, VfioLayout.CAP_SPARSE_MMAP);
    VfioLayout.CAP_NEXT.set(w, at, 0);
    VfioLayout.SPARSE_NR_AREAS.set(w, at, function.sparse.size());
    for (long[] part : function.sparse) {
      VfioLayout.AREA_OFFSET.set(w, areas, part[0]);
      VfioLayout.AREA_SIZE.set(w, areas, part[1]);
      areas += VfioLayout.SPARSE_AREA.bytes();
    }
  }

  private int irqs(MemorySegment s) {
    int index = VfioLayout.IRQ_INFO_INDEX.getInt(s);
    if (VfioLayout.IRQ_INFO_ARGSZ.get(s) < s.byteSize() || index < 0 || index > 4) {
      return INVALID;
    }
    boolean fixed = index == 1 || index == 2 && !function.resizable;
    VfioLayout.IRQ_INFO_COUNT.set(s, function.vectors(index));
    boolean line = index == 0;
    VfioLayout.IRQ_INFO_FLAGS.set(s, 1 | (line ? 6 : 0) | (fixed ? VfioLayout.IRQ_NORESIZE : 0));
    return 0;
  }

  /// `vfio_set_irqs_validate_and_prepare`, then `vfio_pci_set_msi_trigger`.
  private int setIrqs(MemorySegment argument) {
    MemorySegment s = in(argument, VfioLayout.IRQ_SET);
    int index = VfioLayout.IRQ_SET_INDEX.getInt(s);
    int flags = VfioLayout.IRQ_SET_FLAGS.getInt(s);
    int start = VfioLayout.IRQ_SET_START.getInt(s);
    int count = VfioLayout.IRQ_SET_COUNT.getInt(s);
    long argsz = VfioLayout.IRQ_SET_ARGSZ.get(s);
    int max = index < 0 || index > 4 ? 0 : function.vectors(index);
    if (argsz < s.byteSize() || start < 0 || start >= max || start + count > max) {
      return INVALID;
    }
    if (index == 0 && function.line != null) {
      return setLine(function.line, flags, count, wide(argument, argsz));
    }
    boolean none = flags == (VfioLayout.SET_DATA_NONE | VfioLayout.SET_ACTION_TRIGGER);
    boolean events = flags == (VfioLayout.SET_DATA_EVENTFD | VfioLayout.SET_ACTION_TRIGGER);
    if (!none && !events) {
      return INVALID;
    }
    if (none) {
      if (count == 0) {
        return function.disable(index);
      }
      if (!function.has(index)) {
        return INVALID;
      }
      function.fds(index, start, count).forEach(kernel::signal);
      return 0;
    }
    if (argsz - s.byteSize() < (long) count * Integer.BYTES || count == 0) {
      return INVALID;
    }
    MemorySegment w = wide(argument, argsz);
    List<Integer> fds = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      fds.add(w.get(JAVA_INT, s.byteSize() + (long) i * Integer.BYTES));
    }
    return function.setTriggers(index, start, fds, kernel.takeIrqs(max));
  }

  /// Requests for INTx: `vfio_pci_set_intx_mask`, `_unmask`, `_trigger`.
  private static int setLine(FakeLine line, int flags, int count, MemorySegment all) {
    int data = flags & 7;
    int action = flags & ~7;
    boolean event = data == VfioLayout.SET_DATA_EVENTFD;
    if (event && all.byteSize() < VfioLayout.IRQ_SET.bytes() + Integer.BYTES) {
      return INVALID;
    }
    int fd = event ? all.get(JAVA_INT, VfioLayout.IRQ_SET.bytes()) : -1;
    if (action == VfioLayout.SET_ACTION_TRIGGER && event) {
      return line.set(fd);
    }
    if (!line.isEnabled()) {
      return INVALID;
    }
    return switch (action) {
      case VfioLayout.SET_ACTION_TRIGGER -> count == 0 ? line.disable() : line.loopback();
      case VfioLayout.SET_ACTION_UNMASK -> event ? line.letThroughBy(fd) : line.mask(false);
      // The kernel's own answer: it has no masking by eventfd.
      case VfioLayout.SET_ACTION_MASK -> event ? -Errno.ENOTTY.number() : line.mask(true);
      default -> INVALID;
    };
  }

  @Override
  long access(boolean write, MemorySegment data, long offset) {
    int index = (int) (offset >>> REGION_SHIFT);
    long at = offset & (1L << REGION_SHIFT) - 1;
    int bytes = (int) data.byteSize();
    if (index == CONFIG) {
      return config(write, data, (int) at);
    }
    Optional<BarModel> bar = function.bar(index);
    if (bar.isEmpty() || at + bytes > bar.get().bytes()) {
      return INVALID;
    }
    boolean table =
        function
            .msix()
            .filter(m -> m.tableBar() == index)
            .map(m -> tableRange(m).overlaps(AddressRange.ofSize(at, bytes)))
            .orElse(false);
    if (table) {
      if (!write) {
        FakeSpace.store(data, -1L);
      }
    } else if (write) {
      function.window(index).write(at, FakeSpace.load(data), bytes);
    } else {
      FakeSpace.store(data, function.window(index).read(at, bytes));
    }
    return bytes;
  }

  private static AddressRange tableRange(MsixCapability m) {
    return AddressRange.ofSize(m.tableOffset(), m.tableBytes());
  }

  /// BARs and the MSI capabilities are the kernel's own to write.
  private long config(boolean write, MemorySegment data, int at) {
    int bytes = (int) data.byteSize();
    if (!write) {
      FakeSpace.store(data, Integer.toUnsignedLong(function.model.config().read(at, bytes)));
    } else if (at < 0x10 || at >= 0x28 && at < 0x34) {
      function.model.config().write(at, (int) FakeSpace.load(data), bytes);
      kernel.sysfs.show(function);
    }
    return bytes;
  }
}
