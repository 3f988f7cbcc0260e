package dev.doorbell.linux;

import dev.doorbell.explain.Source;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.ContainerOptions;
import dev.doorbell.vfio.Group;
import dev.doorbell.vfio.InUse;
import dev.doorbell.vfio.NoSuchFunction;
import dev.doorbell.vfio.Vfio;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/// The running kernel as the host of devices: {@link Vfio} over VFIO containers or over iommufd.
///
/// The MSI window is the kernel's own. A trigger that is an {@link EventFd} is given to the kernel as it is; for every other one this
/// makes an eventfd, and the loop's thread calls the trigger.
public final class LinuxVfio implements Vfio {
  private final LinuxOptions options;
  private final Kernel kernel;
  private final HostFiles files;
  private final EventLoop loop;
  private final Map<Integer, LinuxGroup> groups = new ConcurrentHashMap<>();
  private final Set<LinuxContainer> open = ConcurrentHashMap.newKeySet();
  private final AtomicInteger containers = new AtomicInteger();

  private LinuxVfio(LinuxOptions options, EventLoop loop) {
    this.options = options;
    this.kernel = new Kernel(options.calls());
    this.files = new HostFiles(options.root());
    this.loop = loop;
  }

  /// {@return the running kernel, through VFIO containers}
  public static LinuxVfio open() {
    return open(LinuxOptions.USUAL);
  }

  /// {@return the running kernel}
  ///
  /// @throws ErrnoException when the process has too many open files
  public static LinuxVfio open(LinuxOptions options) {
    EventLoop loop = EventLoop.create(options.calls());
    if (options.background()) {
      loop.start("doorbell interrupts");
    }
    return new LinuxVfio(options, loop);
  }

  LinuxOptions options() {
    return options;
  }

  HostFiles files() {
    return files;
  }

  Kernel kernel() {
    return kernel;
  }

  EventLoop loop() {
    return loop;
  }

  @Override
  public List<Group> groups() {
    return files.groups().stream().<Group>map(this::group).toList();
  }

  private LinuxGroup group(int id) {
    return groups.computeIfAbsent(id, i -> new LinuxGroup(this, i));
  }

  /// {@inheritDoc}
  ///
  /// On Arm a function may have no group before a driver is bound to it.
  @Override
  public Group group(Sbdf function) {
    return files
        .group(function)
        .map(this::group)
        .orElseThrow(() ->
            new NoSuchFunction(
                function,
                files.exists(function)
                    ? "any group of this kernel (bind it to vfio-pci first)"
                    : "this machine",
                Source.file(HostFiles.device(function) + "/iommu_group")));
  }

  @Override
  public LinuxContainer open(ContainerOptions wanted) {
    String name = "container " + containers.incrementAndGet();
    DmaSpace space =
        switch (options.access()) {
          case CONTAINER -> container(name);
          case IOMMUFD -> IommufdSpace.open(kernel, files, name);
        };
    LinuxContainer c = new LinuxContainer(this, name, wanted, space);
    open.add(c);
    return c;
  }

  /// A container of the kind of IOMMU that this kernel has.
  private DmaSpace container(String name) {
    ContainerFiles c = ContainerFiles.open(kernel, files, name);
    try {
      if (c.has(VfioLayout.TYPE1V2_IOMMU)) {
        return new Type1Space(c);
      }
      if (c.has(SpaprLayout.SPAPR_TCE_V2_IOMMU) || c.has(SpaprLayout.SPAPR_TCE_IOMMU)) {
        return new SpaprSpace(c);
      }
      throw new ErrnoException(
          VfioLayout.VFIO_CHECK_EXTENSION.name(),
          ContainerFiles.PATH,
          Errno.EOPNOTSUPP,
          new Because(
              "the kernel has neither the type 1 IOMMU, version 2, nor that of POWER (SPAPR TCE)",
              "load vfio_iommu_type1; it needs a kernel of 3.16 or later"));
    } catch (RuntimeException | Error e) {
      c.close();
      throw e;
    }
  }

  void forget(LinuxContainer container) {
    open.remove(container);
  }

  @Override
  public int deliver() {
    return loop.deliver();
  }

  @Override
  public void close() {
    open.stream()
        .findAny()
        .ifPresent(c -> {
          throw new InUse("let go of the kernel", "the kernel's VFIO", c.name());
        });
    loop.close();
  }
}
