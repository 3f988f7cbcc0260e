package dev.doorbell.linux;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.bus.Rollback;
import dev.doorbell.iommu.Protection;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.InUse;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/// An IOAS of iommufd and the VFIO devices attached to it: `/dev/iommu` and `/dev/vfio/devices/vfioN`.
final class IommufdSpace implements DmaSpace {
  private static final String PATH = "/dev/iommu";
  private static final int MOST_RANGES = 1024;

  /// What {@link #map} and {@link #unmap} hand to the kernel; one a thread, every member but the reserved one written each time.
  private static final ThreadLocal<MemorySegment> MAP =
      ThreadLocal.withInitial(() -> IommufdLayout.MAP.allocate(Arena.ofAuto()));

  private static final ThreadLocal<MemorySegment> UNMAP =
      ThreadLocal.withInitial(() -> IommufdLayout.UNMAP.allocate(Arena.ofAuto()));

  private final Kernel kernel;
  private final HostFiles files;
  private final String name;
  private final Descriptor iommufd;
  private final int ioas;
  private final IommufdTables tables;

  /// Devices of the groups that are attached.
  private final Map<Integer, Map<Sbdf, Bound>> groups = new HashMap<>();

  /// A device that is bound.
  ///
  /// @param id by which the kernel knows it here
  private record Bound(Descriptor file, int id) {}

  /// Tables that remember writes, by group; null while nothing is to be remembered.
  private @Nullable Map<Integer, Integer> remembering;

  private IommufdSpace(Kernel kernel, HostFiles files, String name, Descriptor iommufd, int ioas) {
    this.kernel = kernel;
    this.files = files;
    this.name = name;
    this.iommufd = iommufd;
    this.ioas = ioas;
    this.tables = new IommufdTables(iommufd, ioas);
  }

  static IommufdSpace open(Kernel kernel, HostFiles files, String name) {
    Descriptor d = kernel.open(PATH, KernelConstants.O_RDWR, IommufdSpace::noIommufd);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment a = IommufdLayout.IOAS_ALLOC.allocate(arena);
      IommufdLayout.ALLOC_SIZE.set(a, a.byteSize());
      d.ioctl(IommufdLayout.IOMMU_IOAS_ALLOC, a);
      return new IommufdSpace(kernel, files, name, d, IommufdLayout.ALLOC_OUT_IOAS_ID.getInt(a));
    } catch (RuntimeException | Error e) {
      d.close();
      throw e;
    }
  }

  private static Because noIommufd(Errno e) {
    return switch (e.name()) {
      case "ENOENT", "ENODEV" ->
          new Because(
              "this kernel has no iommufd, or its module is not loaded",
              "`modprobe iommufd`, or open VFIO containers instead; Debian's kernels are built without CONFIG_IOMMUFD");
      default -> Because.general(e);
    };
  }

  @Override
  public void attach(LinuxGroup group) {
    Map<Sbdf, Bound> devices = new LinkedHashMap<>();
    try (Rollback rollback = new Rollback()) {
      for (Sbdf f : group.functions()) {
        String node = files.vfioDevice(f).orElse("");
        if (node.isEmpty()) {
          // A port, or a function without a driver: it does no DMA of its own.
          continue;
        }
        Descriptor d = openDevice(group, f, "/dev/vfio/devices/" + node);
        rollback.add(d::close);
        int id = bind(group, f, d);
        attachDevice(f, d, ioas);
        devices.put(f, new Bound(d, id));
      }
      if (devices.isEmpty()) {
        throw new ErrnoException(
            "open",
            "/dev/vfio/devices of " + group.name(),
            Errno.ENOENT,
            new Because(
                "no function of %s has a VFIO device of its own".formatted(group.name()),
                "bind %s to vfio-pci; the kernel needs CONFIG_VFIO_DEVICE_CDEV"
                    .formatted(group.functions())));
      }
      groups.put(group.id(), devices);
      rollback.add(() -> groups.remove(group.id()));
      if (remembering != null) {
        remember(group.id(), remembering);
      }
      rollback.commit();
    }
  }

  private Descriptor openDevice(LinuxGroup group, Sbdf f, String path) {
    try {
      return kernel.open(path, KernelConstants.O_RDWR, e -> ContainerFiles.noDevice(e, f));
    } catch (ErrnoException e) {
      if (e.errno().equals(Errno.EBUSY)) {
        throw new InUse("attach " + group.name() + " to " + name, path, "another process");
      }
      throw e;
    }
  }

  /// {@return by which number the kernel knows the device from now on}
  private int bind(LinuxGroup group, Sbdf f, Descriptor d) {
    int fd = iommufd.acquire();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment b = IommufdLayout.BIND.allocate(arena);
      IommufdLayout.BIND_ARGSZ.set(b, b.byteSize());
      IommufdLayout.BIND_IOMMUFD.set(b, fd);
      int answer = d.tryIoctl(IommufdLayout.VFIO_DEVICE_BIND_IOMMUFD, b);
      if (answer < 0) {
        throw new BindRefused(files, name).because(group, f, Errno.in(answer));
      }
      return IommufdLayout.BIND_OUT_DEVID.getInt(b);
    } finally {
      iommufd.release();
    }
  }

  /// Leads a device's requests to tables, instead of those before.
  ///
  /// @param to the IOAS, for the kernel to choose, or tables themselves
  private void attachDevice(Sbdf f, Descriptor d, int to) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment a = IommufdLayout.ATTACH.allocate(arena);
      IommufdLayout.ATTACH_ARGSZ.set(a, a.byteSize());
      IommufdLayout.ATTACH_PT_ID.set(a, to);
      d.ioctl(
          IommufdLayout.VFIO_DEVICE_ATTACH_IOMMUFD_PT,
          a,
          e ->
              e.equals(Errno.EINVAL) || e.equals(Errno.EADDRINUSE)
                  ? new Because(
                      "%s cannot use this IOVA space: a mapping meets a region that it reserves, or its IOMMU cannot share it"
                          .formatted(f),
                      "unmap what meets " + files.group(f).map(files::reserved).orElse(List.of()))
                  : Because.general(e));
    }
  }

  @Override
  public void detach(LinuxGroup group) {
    Map<Sbdf, Bound> devices = groups.remove(group.id());
    if (devices != null) {
      // Closing a device detaches it.
      devices.values().forEach(b -> b.file.close());
    }
    Integer made = remembering == null ? null : remembering.remove(group.id());
    try {
      if (made != null) {
        tables.destroy(made);
      }
    } finally {
      if (groups.isEmpty()) {
        remembering = null;
        unmapAll();
      }
    }
  }

  private void unmapAll() {
    int answer = tryUnmap(AddressRange.ALL);
    if (answer < 0 && answer != -Errno.ENOENT.number()) {
      Kernel.check(answer, "IOMMU_IOAS_UNMAP", name);
    }
  }

  /// A device is bound as long as its file is open: what is handed out is a second descriptor of the same file.
  @Override
  public Descriptor open(LinuxGroup group, Sbdf function) {
    return kvmFile(group, function).duplicate();
  }

  @Override
  public Descriptor kvmFile(LinuxGroup group, Sbdf function) {
    Map<Sbdf, Bound> devices = groups.get(group.id());
    Bound b = devices == null ? null : devices.get(function);
    if (b == null) {
      throw new ErrnoException(
          "open",
          function.toString(),
          Errno.ENODEV,
          ContainerFiles.noDevice(Errno.ENODEV, function));
    }
    return b.file;
  }

  /// A device's own file proves it.
  @Override
  public List<Descriptor> proof(List<Integer> wanted) {
    return List.of();
  }

  /// The kernel tells the alignment it wants, not all sizes: every power of two from there on will do.
  @Override
  public List<DmaWindow> windows() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment room = arena.allocate((long) MOST_RANGES * IommufdLayout.IOVA_RANGE.bytes(), 8);
      MemorySegment r = ask(arena, room);
      long sizes = -Math.max(IommufdLayout.RANGES_OUT_ALIGNMENT.get(r), Granule.K4.bytes());
      List<DmaWindow> out = new ArrayList<>();
      for (long i = 0; i < IommufdLayout.RANGES_NUM.get(r); i++) {
        long at = i * IommufdLayout.IOVA_RANGE.bytes();
        AddressRange iovas =
            new AddressRange(
                IommufdLayout.RANGE_START.get(room, at), IommufdLayout.RANGE_LAST.get(room, at));
        out.add(new DmaWindow(iovas, sizes));
      }
      out.sort(Comparator.comparing(DmaWindow::iovas));
      return out;
    }
  }

  private MemorySegment ask(Arena arena, MemorySegment room) {
    MemorySegment r = IommufdLayout.IOVA_RANGES.allocate(arena);
    IommufdLayout.RANGES_SIZE.set(r, r.byteSize());
    IommufdLayout.RANGES_IOAS_ID.set(r, ioas);
    IommufdLayout.RANGES_NUM.set(r, MOST_RANGES);
    IommufdLayout.RANGES_ALLOWED.set(r, room.address());
    iommufd.ioctl(IommufdLayout.IOMMU_IOAS_IOVA_RANGES, r);
    return r;
  }

  /// iommufd has no limit but memory's.
  @Override
  public OptionalLong mappingsLeft() {
    return OptionalLong.empty();
  }

  @Override
  public void map(AddressRange iovas, ProcessBuffer memory, Protection protection) {
    MemorySegment m = MAP.get();
    int flags =
        IommufdLayout.MAP_FIXED_IOVA
            | (protection.read() ? IommufdLayout.MAP_READABLE : 0)
            | (protection.write() ? IommufdLayout.MAP_WRITEABLE : 0);
    IommufdLayout.MAP_SIZE.set(m, m.byteSize());
    IommufdLayout.MAP_FLAGS.set(m, flags);
    IommufdLayout.MAP_IOAS_ID.set(m, ioas);
    IommufdLayout.MAP_USER_VA.set(m, memory.address());
    IommufdLayout.MAP_LENGTH.set(m, iovas.bytes());
    IommufdLayout.MAP_IOVA.set(m, iovas.start());
    iommufd.ioctl(
        IommufdLayout.IOMMU_IOAS_MAP, m, e -> LockedMemory.because(e, files, iovas.bytes()));
  }

  @Override
  public OptionalLong unmap(AddressRange iovas) {
    Kernel.check(tryUnmap(iovas), "IOMMU_IOAS_UNMAP", name);
    return OptionalLong.of(IommufdLayout.UNMAP_LENGTH.get(UNMAP.get()));
  }

  /// {@return the kernel's answer; how much it unmapped stays in this thread's structure}
  private int tryUnmap(AddressRange iovas) {
    MemorySegment m = UNMAP.get();
    IommufdLayout.UNMAP_SIZE.set(m, m.byteSize());
    IommufdLayout.UNMAP_IOAS_ID.set(m, ioas);
    IommufdLayout.UNMAP_IOVA.set(m, iovas.start());
    // The whole space is said as the largest number.
    IommufdLayout.UNMAP_LENGTH.set(m, iovas.bytes() == 0 ? -1 : iovas.bytes());
    return iommufd.tryIoctl(IommufdLayout.IOMMU_IOAS_UNMAP, m);
  }

  /// Gives every group tables that remember, in the place of its own; what is mapped stays mapped.
  @Override
  public Granule startDirty() {
    Map<Integer, Integer> all = new HashMap<>();
    try (Rollback rollback = new Rollback()) {
      for (int group : groups.keySet()) {
        remember(group, all);
        rollback.add(() -> forget(group, all));
      }
      remembering = all;
      rollback.commit();
    }
    return windows().getFirst().granule();
  }

  private void remember(int group, Map<Integer, Integer> all) {
    Map<Sbdf, Bound> devices = Objects.requireNonNull(groups.get(group));
    int made = tables.allocate(group, devices.values().iterator().next().id);
    try (Rollback rollback = new Rollback()) {
      rollback.add(() -> tables.destroy(made));
      for (Map.Entry<Sbdf, Bound> d : devices.entrySet()) {
        attachDevice(d.getKey(), d.getValue().file, made);
        rollback.add(() -> attachDevice(d.getKey(), d.getValue().file, ioas));
      }
      tables.remember(made, true);
      all.put(group, made);
      rollback.commit();
    }
  }

  private void forget(int group, Map<Integer, Integer> all) {
    int made = Objects.requireNonNull(all.remove(group));
    tables.remember(made, false);
    Objects.requireNonNull(groups.get(group)).forEach((f, b) -> attachDevice(f, b.file, ioas));
    tables.destroy(made);
  }

  @Override
  public void stopDirty() {
    Map<Integer, Integer> all = Objects.requireNonNull(remembering);
    remembering = null;
    try (Rollback each = new Rollback()) {
      List.copyOf(all.keySet()).forEach(group -> each.add(() -> forget(group, all)));
    }
  }

  @Override
  public void dirty(AddressRange iovas, Granule page, MemorySegment bits) {
    Objects.requireNonNull(remembering).values().forEach(t -> tables.read(t, iovas, page, bits));
  }

  @Override
  public void close() {
    groups.values().forEach(devices -> devices.values().forEach(b -> b.file.close()));
    groups.clear();
    iommufd.close();
  }
}
