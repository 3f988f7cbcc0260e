package dev.doorbell.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bus.Rollback;
import dev.doorbell.explain.Source;
import dev.doorbell.iommu.NotIsolated;
import dev.doorbell.iommu.Protection;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.InUse;
import dev.doorbell.vfio.NotViable;
import dev.doorbell.vfio.Viability;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/// A VFIO container with the type 1 IOMMU, version 2: `/dev/vfio/vfio` and `/dev/vfio/N`.
final class Type1Space implements DmaSpace {
  private static final String PATH = "/dev/vfio/vfio";
  private static final int API_VERSION = 0;

  private final Kernel kernel;
  private final HostFiles files;
  private final String name;
  private final Descriptor container;
  private final Map<Integer, Descriptor> groups = new HashMap<>();

  private Type1Space(Kernel kernel, HostFiles files, String name, Descriptor container) {
    this.kernel = kernel;
    this.files = files;
    this.name = name;
    this.container = container;
  }

  static Type1Space open(Kernel kernel, HostFiles files, String name) {
    Descriptor c = kernel.open(PATH, KernelConstants.O_RDWR, Type1Space::noContainer);
    try {
      int version = c.ioctl(VfioLayout.VFIO_GET_API_VERSION, MemorySegment.NULL);
      int type1 =
          c.ioctl(
              VfioLayout.VFIO_CHECK_EXTENSION, MemorySegment.ofAddress(VfioLayout.TYPE1V2_IOMMU));
      if (version != API_VERSION || type1 != 1) {
        throw new ErrnoException(
            "VFIO_CHECK_EXTENSION",
            PATH,
            Errno.EOPNOTSUPP,
            new Because(
                "the kernel has VFIO's interface %d and %s the type 1 IOMMU, version 2"
                    .formatted(version, type1 == 1 ? "has" : "not"),
                "load vfio_iommu_type1"));
      }
      return new Type1Space(kernel, files, name, c);
    } catch (RuntimeException | Error e) {
      c.close();
      throw e;
    }
  }

  private static Because noContainer(Errno e) {
    return switch (e.name()) {
      case "ENOENT", "ENODEV" ->
          new Because(
              "this kernel has no VFIO containers, or their module is not loaded",
              "`modprobe vfio-pci`; a kernel without CONFIG_VFIO_CONTAINER has iommufd alone");
      default -> Because.general(e);
    };
  }

  @Override
  public void attach(LinuxGroup group) {
    String path = "/dev/vfio/" + group.id();
    try (Rollback rollback = new Rollback()) {
      Descriptor g = openGroup(group, path);
      rollback.add(g::close);
      requireViable(group, g);
      setContainer(group, g);
      rollback.add(() -> g.ioctl(VfioLayout.VFIO_GROUP_UNSET_CONTAINER, MemorySegment.NULL));
      if (groups.isEmpty()) {
        setIommu(group);
      }
      groups.put(group.id(), g);
      rollback.commit();
    }
  }

  private Descriptor openGroup(LinuxGroup group, String path) {
    try {
      return kernel.open(path, KernelConstants.O_RDWR, e -> noGroup(e, group));
    } catch (ErrnoException e) {
      if (e.errno().equals(Errno.EBUSY)) {
        throw new InUse("attach " + group.name() + " to " + name, path, "another process");
      }
      throw e;
    }
  }

  private static Because noGroup(Errno e, LinuxGroup group) {
    return e.equals(Errno.ENOENT)
        ? new Because(
            "no function of %s has a VFIO driver".formatted(group.name()),
            "bind %s to vfio-pci (driver_override)".formatted(group.functions()))
        : Because.general(e);
  }

  private void requireViable(LinuxGroup group, Descriptor g) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment s = VfioLayout.GROUP_STATUS.allocate(arena);
      VfioLayout.GROUP_ARGSZ.set(s, s.byteSize());
      g.ioctl(VfioLayout.VFIO_GROUP_GET_STATUS, s);
      if ((VfioLayout.GROUP_FLAGS.getInt(s) & VfioLayout.GROUP_VIABLE) == 0) {
        throw notViable(group);
      }
    }
  }

  private NotViable notViable(LinuxGroup group) {
    Viability.Blocker blocker =
        files.blockers(group.id()).stream()
            .findFirst()
            .orElse(
                new Viability.Blocker(
                    group.functions().toString(),
                    "not seen",
                    "the kernel says so of " + group.name()));
    return new NotViable(group.name(), blocker);
  }

  private void setContainer(LinuxGroup group, Descriptor g) {
    try (Arena arena = Arena.ofConfined()) {
      int fd = container.acquire();
      try {
        MemorySegment arg = arena.allocate(JAVA_INT);
        arg.set(JAVA_INT, 0, fd);
        int answer = g.tryIoctl(VfioLayout.VFIO_GROUP_SET_CONTAINER, arg);
        if (answer < 0) {
          throw refusedContainer(group, Errno.in(answer));
        }
      } finally {
        container.release();
      }
    }
  }

  private RuntimeException refusedContainer(LinuxGroup group, Errno e) {
    if (e.equals(Errno.EBUSY)) {
      return new InUse("attach " + group.name() + " to " + name, group.name(), "another container");
    }
    boolean used = !files.blockers(group.id()).isEmpty();
    if (e.equals(Errno.EPERM) && used) {
      return notViable(group);
    }
    if (e.equals(Errno.EPERM) && !groups.isEmpty()) {
      // The IOMMU is chosen already, so that isolation and regions are looked at here.
      return refusedIommu(group, e, VfioLayout.VFIO_GROUP_SET_CONTAINER);
    }
    return new ErrnoException(
        VfioLayout.VFIO_GROUP_SET_CONTAINER.name(), group.name(), e, Because.general(e));
  }

  private void setIommu(LinuxGroup group) {
    int answer =
        container.tryIoctl(
            VfioLayout.VFIO_SET_IOMMU, MemorySegment.ofAddress(VfioLayout.TYPE1V2_IOMMU));
    if (answer < 0) {
      throw refusedIommu(group, Errno.in(answer), VfioLayout.VFIO_SET_IOMMU);
    }
  }

  private RuntimeException refusedIommu(LinuxGroup group, Errno e, Ioctl request) {
    List<ReservedRegion> identity =
        group.reserved().stream().filter(r -> r.kind() == ReservedRegion.Kind.DIRECT).toList();
    if (e.equals(Errno.EPERM) && !identity.isEmpty()) {
      return new ErrnoException(
          request.name(),
          group.name(),
          e,
          new Because(
              "firmware demands that %s reads and writes memory at %s whoever owns it"
                  .formatted(group.name(), identity.getFirst().range()),
              "turn the firmware's feature off that uses this region (RMRR or RMR), or assign another function"));
    }
    if (e.equals(Errno.EPERM) && !files.allowsUnsafeInterrupts()) {
      return new NotIsolated(
          name,
          group.name(),
          group.functions().getFirst().toString(),
          "the kernel's MSI controller",
          Source.file("sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts"));
    }
    return new ErrnoException(request.name(), group.name(), e, Because.general(e));
  }

  @Override
  public void detach(LinuxGroup group) {
    Descriptor g = groups.remove(group.id());
    if (g != null) {
      try {
        int answer = g.tryIoctl(VfioLayout.VFIO_GROUP_UNSET_CONTAINER, MemorySegment.NULL);
        // The kernel takes a group out itself once its last function is gone, and says EINVAL then.
        if (answer != -Errno.EINVAL.number()) {
          Kernel.check(answer, VfioLayout.VFIO_GROUP_UNSET_CONTAINER.name(), group.name());
        }
      } finally {
        g.close();
      }
    }
  }

  @Override
  public Descriptor kvmFile(LinuxGroup group, Sbdf function) {
    return file(group);
  }

  private Descriptor file(LinuxGroup group) {
    Descriptor g = groups.get(group.id());
    if (g == null) {
      throw new IllegalStateException(group.name() + " is not in " + name);
    }
    return g;
  }

  @Override
  public Descriptor open(LinuxGroup group, Sbdf function) {
    Descriptor g = file(group);
    try (Arena arena = Arena.ofConfined()) {
      int fd =
          g.ioctl(
              VfioLayout.VFIO_GROUP_GET_DEVICE_FD,
              arena.allocateFrom(function.toString()),
              e -> noDevice(e, function));
      return kernel.own(fd, "VFIO_GROUP_GET_DEVICE_FD", function.toString());
    }
  }

  static Because noDevice(Errno e, Sbdf function) {
    return switch (e.name()) {
      case "ENODEV" ->
          new Because(
              "%s is not bound to a VFIO driver".formatted(function), "bind it to vfio-pci");
      case "EBUSY" -> new Because("somebody has it open", "close it there first");
      default -> Because.general(e);
    };
  }

  @Override
  public List<AddressRange> ranges() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment info = info(arena);
      OptionalLong cap = cap(info, VfioLayout.CAP_IOVA_RANGES);
      if (cap.isEmpty()) {
        // Kernels before 5.4 do not tell; they check each mapping.
        return List.of(AddressRange.ALL);
      }
      long at = cap.getAsLong();
      long n = VfioLayout.IOVA_RANGES_NR.get(info, at);
      List<AddressRange> out = new ArrayList<>();
      for (long i = 0; i < n; i++) {
        long r = at + VfioLayout.IOVA_RANGES.offset() + i * VfioLayout.IOVA_RANGE.bytes();
        out.add(
            new AddressRange(VfioLayout.IOVA_START.get(info, r), VfioLayout.IOVA_END.get(info, r)));
      }
      out.sort(null);
      return out;
    }
  }

  /// {@return mappings that the kernel has room for; empty where it does not tell}
  OptionalLong mappingsLeft() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment info = info(arena);
      OptionalLong cap = cap(info, VfioLayout.CAP_DMA_AVAIL);
      return cap.isEmpty() ? cap : OptionalLong.of(VfioLayout.DMA_AVAIL.get(info, cap.getAsLong()));
    }
  }

  @Override
  public long pageSizes() {
    try (Arena arena = Arena.ofConfined()) {
      return VfioLayout.TYPE1_PGSIZES.get(info(arena));
    }
  }

  private MemorySegment info(Arena arena) {
    return InfoCaps.ask(
        arena, container, VfioLayout.VFIO_IOMMU_GET_INFO, VfioLayout.TYPE1_INFO, s -> {});
  }

  private static OptionalLong cap(MemorySegment info, int id) {
    boolean has = (VfioLayout.TYPE1_FLAGS.getInt(info) & VfioLayout.TYPE1_HAS_CAPS) != 0;
    return has
        ? InfoCaps.find(info, VfioLayout.TYPE1_CAP_OFFSET.get(info), id)
        : OptionalLong.empty();
  }

  @Override
  public void map(AddressRange iovas, long address, Protection protection) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment m = VfioLayout.DMA_MAP.allocate(arena);
      int flags =
          (protection.read() ? VfioLayout.MAP_READ : 0)
              | (protection.write() ? VfioLayout.MAP_WRITE : 0);
      VfioLayout.DMA_MAP_ARGSZ.set(m, m.byteSize());
      VfioLayout.DMA_MAP_FLAGS.set(m, flags);
      VfioLayout.DMA_MAP_VADDR.set(m, address);
      VfioLayout.DMA_MAP_IOVA.set(m, iovas.start());
      VfioLayout.DMA_MAP_SIZE.set(m, iovas.bytes());
      container.ioctl(VfioLayout.VFIO_IOMMU_MAP_DMA, m, e -> mapRefused(e, files, iovas, this));
    }
  }

  private static Because mapRefused(
      Errno e, HostFiles files, AddressRange iovas, Type1Space space) {
    if (e.equals(Errno.ENOSPC)) {
      return new Because(
          "the kernel has no room for another mapping in this container (%s left)"
              .formatted(space.mappingsLeft()),
          "map larger pieces, or raise vfio_iommu_type1's dma_entry_limit");
    }
    return memoryRefused(e, files, iovas);
  }

  /// {@return why a mapping of this process's memory is refused, whichever interface was asked}
  static Because memoryRefused(Errno e, HostFiles files, AddressRange iovas) {
    return switch (e.name()) {
      case "ENOMEM" ->
          new Because(
              "0x%x bytes cannot be locked: the limit of locked memory is %s"
                  .formatted(iovas.bytes(), files.lockedMemoryLimit()),
              "raise it (`ulimit -l`, or LimitMEMLOCK= of the service)");
      case "EFAULT" ->
          new Because(
              "part of the memory is not this process's own pages (a device's BAR, or unmapped)",
              "map memory that a container allocated, or leave peer-to-peer off");
      default -> Because.general(e);
    };
  }

  @Override
  public long unmap(AddressRange iovas) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment m = VfioLayout.DMA_UNMAP.allocate(arena);
      VfioLayout.DMA_UNMAP_ARGSZ.set(m, m.byteSize());
      VfioLayout.DMA_UNMAP_IOVA.set(m, iovas.start());
      VfioLayout.DMA_UNMAP_SIZE.set(m, iovas.bytes());
      container.ioctl(VfioLayout.VFIO_IOMMU_UNMAP_DMA, m);
      return VfioLayout.DMA_UNMAP_SIZE.get(m);
    }
  }

  /// {@return descriptors of those of some groups that are attached, for a hot reset}
  List<Descriptor> groupDescriptors(List<Integer> of) {
    return of.stream().filter(groups::containsKey).map(groups::get).toList();
  }

  @Override
  public void close() {
    groups.values().forEach(Descriptor::close);
    groups.clear();
    container.close();
  }
}
