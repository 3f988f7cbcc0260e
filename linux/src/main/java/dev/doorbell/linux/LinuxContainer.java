package dev.doorbell.linux;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.bus.Rollback;
import dev.doorbell.explain.Source;
import dev.doorbell.iommu.NotIsolated;
import dev.doorbell.iommu.Protection;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.Container;
import dev.doorbell.vfio.ContainerOptions;
import dev.doorbell.vfio.DmaBuffer;
import dev.doorbell.vfio.GranuleNotSupported;
import dev.doorbell.vfio.Group;
import dev.doorbell.vfio.MsiWindowNeed;
import dev.doorbell.vfio.NotAttached;
import dev.doorbell.vfio.NotMachineMemory;
import dev.doorbell.vfio.NotViable;
import dev.doorbell.vfio.WindowFixedByKernel;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/// A container of the kernel.
final class LinuxContainer implements Container {
  private final LinuxVfio vfio;
  private final String name;
  private final ContainerOptions options;
  private final DmaSpace space;
  private final ReentrantLock lock = new ReentrantLock();
  private final List<LinuxGroup> groups = new ArrayList<>();
  private final LinuxMappings mappings;
  private boolean closed;

  LinuxContainer(LinuxVfio vfio, String name, ContainerOptions options, DmaSpace space) {
    this.vfio = vfio;
    this.name = name;
    this.options = options;
    this.space = space;
    this.mappings = new LinuxMappings(name);
  }

  String name() {
    return name;
  }

  DmaSpace space() {
    return space;
  }

  @Override
  public void attach(Group wanted) {
    LinuxGroup group = own(wanted);
    lock.lock();
    try (Rollback rollback = new Rollback()) {
      requireOpen();
      group.viability().blockers().stream()
          .findFirst()
          .ifPresent(b -> {
            throw new NotViable(group.name(), b);
          });
      group.take(this);
      rollback.add(group::letGo);
      requireIsolation(group);
      mappings.requireClear(group);
      space.attach(group);
      rollback.add(() -> space.detach(group));
      groups.add(group);
      rollback.add(() -> groups.remove(group));
      granuleOf();
      rollback.commit();
    } finally {
      lock.unlock();
    }
  }

  /// The kernel refuses by itself, unless its administrator told it not to; this program's user may not have agreed to that.
  private void requireIsolation(LinuxGroup group) {
    if (options.unsafeInterrupts() || group.isolatedMsi()) {
      return;
    }
    HostFiles.Isolation seen = vfio.files().isolation();
    if (seen == HostFiles.Isolation.OPEN || vfio.files().allowsUnsafeInterrupts()) {
      throw new NotIsolated(
          name,
          group.name(),
          group.functions().getFirst().toString(),
          "the kernel's MSI controller",
          Source.file("proc/interrupts"));
    }
  }

  @Override
  public void detach(Group wanted) {
    LinuxGroup group = own(wanted);
    lock.lock();
    try {
      if (!groups.contains(group)) {
        throw new NotAttached("detach from " + name, group.name(), "attach it before");
      }
      // First, so that nobody opens a function meanwhile.
      group.letGo();
      groups.remove(group);
      try {
        space.detach(group);
      } finally {
        if (groups.isEmpty()) {
          mappings.clear();
        }
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public List<Group> groups() {
    lock.lock();
    try {
      return List.copyOf(groups);
    } finally {
      lock.unlock();
    }
  }

  /// {@return a function's open file, for its group}
  Descriptor device(LinuxGroup group, Sbdf function) {
    return space.open(group, function);
  }

  @Override
  public DmaBuffer allocate(long bytes) {
    if (bytes <= 0) {
      throw new IllegalArgumentException("a buffer of " + bytes + " bytes is none");
    }
    long granule = bufferGranule().bytes();
    return ProcessBuffer.allocate(vfio.kernel(), Math.ceilDiv(bytes, granule) * granule);
  }

  private Granule bufferGranule() {
    lock.lock();
    try {
      return groups.isEmpty() ? options.granule().orElse(Granule.K4) : granuleOf();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public DmaBuffer wrap(MemorySegment memory) {
    if (!memory.isNative() || !Granule.K4.isAligned(memory.address())) {
      throw new NotMachineMemory(
          "a segment that is not in whole pages of native memory", "this process");
    }
    return ProcessBuffer.of(memory);
  }

  @Override
  public void map(Iova iova, DmaBuffer buffer, Protection protection) {
    if (!(buffer instanceof ProcessBuffer b)) {
      throw new NotMachineMemory("a foreign buffer", "this process");
    }
    lock.lock();
    try {
      requireAttached("map memory");
      AddressRange iovas = mappings.check(iova, b, granuleOf(), space.ranges(), groups);
      b.mapped();
      try {
        space.map(iovas, b.address(), protection);
      } catch (RuntimeException | Error e) {
        b.unmapped();
        throw e;
      }
      mappings.add(iova, b);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public long unmap(AddressRange iovas) {
    lock.lock();
    try {
      requireAttached("unmap memory");
      return mappings.unmap(iovas, space);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public Granule granule() {
    lock.lock();
    try {
      requireAttached("tell the granule");
      return granuleOf();
    } finally {
      lock.unlock();
    }
  }

  private Granule granuleOf() {
    long sizes = space.pageSizes();
    Granule smallest = new Granule(Math.max(Long.numberOfTrailingZeros(sizes), Granule.K4.shift()));
    return options
        .granule()
        .map(wanted -> {
          if ((sizes & wanted.bytes()) == 0) {
            throw new GranuleNotSupported(name, wanted, List.of(smallest));
          }
          return wanted;
        })
        .orElse(smallest);
  }

  @Override
  public List<AddressRange> iovaRanges() {
    lock.lock();
    try {
      requireAttached("tell the IOVA ranges");
      return space.ranges();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public List<ReservedRegion> reserved() {
    lock.lock();
    try {
      return groups.stream().flatMap(g -> g.reserved().stream()).distinct().toList();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public MsiWindowNeed msiWindowNeed() {
    lock.lock();
    try {
      requireAttached("tell the MSI window that is needed");
      return KernelWindow.need(
          groups.stream().flatMap(g -> g.functions().stream()).toList(),
          vfio.options().doorbells(),
          granuleOf());
    } finally {
      lock.unlock();
    }
  }

  @Override
  public MsiWindowNeed msiWindowBound() {
    lock.lock();
    try {
      requireAttached("tell the MSI window that is needed");
      return KernelWindow.need(
          vfio.files().groups().stream().flatMap(g -> vfio.files().functions(g).stream()).toList(),
          vfio.options().doorbells(),
          granuleOf());
    } finally {
      lock.unlock();
    }
  }

  /// Refuses vectors for which the kernel's window has no room: the kernel itself would map past its end.
  void requireRoomForDoorbells() {
    lock.lock();
    try {
      Optional<AddressRange> window = msiWindow();
      if (window.isPresent()) {
        KernelWindow.require(name, window.get(), msiWindowNeed(), granuleOf());
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void reserveMsiWindow(AddressRange range) {
    throw new WindowFixedByKernel(
        range,
        msiWindow().orElse(HostFiles.SW_MSI),
        Source.rule("Linux MSI_IOVA_BASE, MSI_IOVA_LENGTH"));
  }

  @Override
  public void removeMsiWindow() {
    AddressRange window = msiWindow().orElse(HostFiles.SW_MSI);
    throw new WindowFixedByKernel(
        window, window, Source.rule("Linux MSI_IOVA_BASE, MSI_IOVA_LENGTH"));
  }

  @Override
  public Optional<AddressRange> msiWindow() {
    lock.lock();
    try {
      return groups.stream()
          .flatMap(g -> g.reserved().stream())
          .filter(r -> r.kind() == ReservedRegion.Kind.SW_MSI)
          .map(ReservedRegion::range)
          .findFirst();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    lock.lock();
    try {
      if (closed) {
        return;
      }
      for (LinuxGroup g : groups) {
        g.requireNoDevice("close " + name);
      }
      closed = true;
      // What the kernel refuses to let go in good order goes with the last file.
      ErrnoException refused = null;
      for (LinuxGroup g : List.copyOf(groups)) {
        try {
          detach(g);
        } catch (ErrnoException e) {
          refused = e;
        }
      }
      space.close();
      vfio.forget(this);
      if (refused != null) {
        throw refused;
      }
    } finally {
      lock.unlock();
    }
  }

  private LinuxGroup own(Group group) {
    if (group instanceof LinuxGroup g && g.vfio() == vfio) {
      return g;
    }
    throw new IllegalArgumentException("group " + group.id() + " is not one of this kernel");
  }

  private void requireAttached(String attempt) {
    requireOpen();
    if (groups.isEmpty()) {
      throw new NotAttached(attempt, name, "attach a group to " + name + " first");
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException(name + " is closed");
    }
  }
}
