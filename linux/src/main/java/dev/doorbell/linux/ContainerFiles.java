package dev.doorbell.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.doorbell.bus.Rollback;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.InUse;
import dev.doorbell.vfio.NotViable;
import dev.doorbell.vfio.Viability;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The file of a VFIO container and those of the groups in it, `/dev/vfio/vfio` and `/dev/vfio/N`, whichever IOMMU it has. Guarded by the
/// container's lock.
final class ContainerFiles implements AutoCloseable {
  static final String PATH = "/dev/vfio/vfio";
  private static final int API_VERSION = 0;

  /// What the container's kind of IOMMU adds to the taking in of groups.
  interface Iommu {
    /// Chooses it, now that the first group is in.
    void choose(LinuxGroup first);

    /// {@return why it does not take a group into a container that has some}
    RuntimeException refused(LinuxGroup group, Errno e);
  }

  private final Kernel kernel;
  private final HostFiles files;
  private final String name;
  private final Descriptor container;
  private final Map<Integer, Descriptor> groups = new HashMap<>();

  private ContainerFiles(Kernel kernel, HostFiles files, String name, Descriptor container) {
    this.kernel = kernel;
    this.files = files;
    this.name = name;
    this.container = container;
  }

  static ContainerFiles open(Kernel kernel, HostFiles files, String name) {
    Descriptor c = kernel.open(PATH, KernelConstants.O_RDWR, ContainerFiles::noContainer);
    try {
      int version = c.ioctl(VfioLayout.VFIO_GET_API_VERSION, MemorySegment.NULL);
      if (version != API_VERSION) {
        throw new ErrnoException(
            VfioLayout.VFIO_GET_API_VERSION.name(),
            PATH,
            Errno.EOPNOTSUPP,
            new Because(
                "the kernel has VFIO's interface %d, not %d".formatted(version, API_VERSION),
                "use a kernel of 3.6 or later"));
      }
      return new ContainerFiles(kernel, files, name, c);
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

  /// {@return whether the kernel has an extension, such as a kind of IOMMU}
  boolean has(int extension) {
    return container.ioctl(VfioLayout.VFIO_CHECK_EXTENSION, MemorySegment.ofAddress(extension)) > 0;
  }

  String name() {
    return name;
  }

  HostFiles host() {
    return files;
  }

  Descriptor container() {
    return container;
  }

  boolean isEmpty() {
    return groups.isEmpty();
  }

  void attach(LinuxGroup group, Iommu iommu) {
    String path = "/dev/vfio/" + group.id();
    try (Rollback rollback = new Rollback()) {
      Descriptor g = openGroup(group, path);
      rollback.add(g::close);
      requireViable(group, g);
      setContainer(group, g, iommu);
      rollback.add(() -> g.ioctl(VfioLayout.VFIO_GROUP_UNSET_CONTAINER, MemorySegment.NULL));
      if (groups.isEmpty()) {
        iommu.choose(group);
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

  private void setContainer(LinuxGroup group, Descriptor g, Iommu iommu) {
    try (Arena arena = Arena.ofConfined()) {
      int fd = container.acquire();
      try {
        MemorySegment arg = arena.allocate(JAVA_INT);
        arg.set(JAVA_INT, 0, fd);
        int answer = g.tryIoctl(VfioLayout.VFIO_GROUP_SET_CONTAINER, arg);
        if (answer < 0) {
          throw refusedContainer(group, Errno.in(answer), iommu);
        }
      } finally {
        container.release();
      }
    }
  }

  private RuntimeException refusedContainer(LinuxGroup group, Errno e, Iommu iommu) {
    boolean used = !files.blockers(group.id()).isEmpty();
    if (e.equals(Errno.EPERM) && used) {
      return notViable(group);
    }
    if (!groups.isEmpty()) {
      // The IOMMU is chosen already, so that it has a say here.
      return iommu.refused(group, e);
    }
    return switch (e.name()) {
      case "EBUSY" -> inUse(group);
      // No IOMMU is asked for its opinion yet: whoever answers so has an owner for the group's DMA.
      case "EPERM" -> owned(group, "a driver that is not seen has one of its functions");
      default ->
          new ErrnoException(
              VfioLayout.VFIO_GROUP_SET_CONTAINER.name(),
              group.name(),
              e,
              FirmwareDemand.of(group, e).orElseGet(() -> Because.general(e)));
    };
  }

  /// {@return that somebody has the group's DMA, whom sysfs does not name}
  ///
  /// @param otherwise what else it may be, as a clause
  ///
  /// **Source**: Linux `drivers/iommu/iommu.c`, `iommu_group_claim_dma_owner`: EPERM
  InUse owned(LinuxGroup group, String otherwise) {
    return InUse.unless(
        "attach " + group.name() + " to " + name, group.name(), "another process", otherwise);
  }

  InUse inUse(LinuxGroup group) {
    return new InUse("attach " + group.name() + " to " + name, group.name(), "another container");
  }

  void detach(LinuxGroup group) {
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

  /// {@return the file of a group that is attached}
  Descriptor file(LinuxGroup group) {
    Descriptor g = groups.get(group.id());
    if (g == null) {
      throw new IllegalStateException(group.name() + " is not in " + name);
    }
    return g;
  }

  Descriptor open(LinuxGroup group, Sbdf function) {
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
      case "EPERM" ->
          new Because(
              "its group is another process's, or its interrupts are not isolated",
              "close it there first, unless the end of `dmesg` says \"not secure\" or \"interrupt remapping\"");
      default -> Because.general(e);
    };
  }

  /// {@return files of those of some groups that are attached}
  List<Descriptor> of(List<Integer> wanted) {
    return wanted.stream().filter(groups::containsKey).map(groups::get).toList();
  }

  @Override
  public void close() {
    groups.values().forEach(Descriptor::close);
    groups.clear();
    container.close();
  }
}
