package dev.doorbell.linux;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.bus.Rollback;
import dev.doorbell.iommu.Protection;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.Container;
import dev.doorbell.vfio.ContainerOptions;
import dev.doorbell.vfio.DmaBuffer;
import dev.doorbell.vfio.DmaMapping;
import dev.doorbell.vfio.Group;
import dev.doorbell.vfio.InUse;
import dev.doorbell.vfio.MsiWindowNeed;
import dev.doorbell.vfio.NotAttached;
import dev.doorbell.vfio.NotMachineMemory;
import dev.doorbell.vfio.NotViable;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// A container of the kernel. Besides what every {@link Container} does: it tells how many mappings there is room for, makes windows where
/// the IOMMU has them (POWER), takes memory in huge pages, and has the kernel remember what devices write.
public final class LinuxContainer implements Container {
  private final LinuxVfio vfio;
  private final String name;
  private final ContainerOptions options;
  private final DmaSpace space;
  private final ReentrantLock lock = new ReentrantLock();
  private final List<LinuxGroup> groups = new ArrayList<>();
  private final LinuxMappings mappings;
  private final DmaWindows windows;
  private @Nullable DirtyPages tracked;
  private boolean closed;

  LinuxContainer(LinuxVfio vfio, String name, ContainerOptions options, DmaSpace space) {
    this.vfio = vfio;
    this.name = name;
    this.options = options;
    this.space = space;
    this.mappings = new LinuxMappings(name);
    this.windows = new DmaWindows(name, space, options.granule());
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
      if (!options.unsafeInterrupts()) {
        group.requireIsolation(name);
      }
      mappings.enter(group);
      rollback.add(() -> mappings.leave(group));
      windows.forget();
      space.attach(group);
      rollback.add(() -> detached(group));
      groups.add(group);
      rollback.add(() -> groups.remove(group));
      mappings.requireHeld(options.iovas(), windows.granule(), windows.all());
      rollback.commit();
    } finally {
      lock.unlock();
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
        detached(group);
      } finally {
        if (groups.isEmpty()) {
          mappings.clear();
          // The kernel forgets with its last group.
          tracked = null;
        }
      }
    } finally {
      lock.unlock();
    }
  }

  private void detached(LinuxGroup group) {
    windows.forget();
    mappings.leave(group);
    space.detach(group);
  }

  @Override
  public List<Group> groups() {
    return locked(() -> List.copyOf(groups));
  }

  /// {@return a function's open file, for its group}
  Descriptor device(LinuxGroup group, Sbdf function) {
    return space.open(group, function);
  }

  @Override
  public DmaBuffer allocate(long bytes) {
    Granule granule =
        locked(() -> groups.isEmpty() ? options.granule().orElse(Granule.K4) : windows.granule());
    return ProcessBuffer.allocate(vfio.kernel(), bytes, granule);
  }

  /// {@return zeroed memory in huge pages that the administrator set aside, in whole ones} With pages as large as a block of the IOMMU's tables, and an IOVA aligned to them, a mapping takes one entry a page.
  ///
  /// @throws ErrnoException with ENOMEM and both figures when fewer are free
  public DmaBuffer allocateHuge(long bytes) {
    return ProcessBuffer.allocateHuge(vfio.kernel(), vfio.files(), bytes);
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
    attached(
        "map memory",
        () -> {
          AddressRange iovas = mappings.check(iova, b, windows.granule(), windows.all());
          b.mapped();
          try {
            space.map(iovas, b, protection);
          } catch (RuntimeException | Error e) {
            b.unmapped();
            throw e;
          }
          mappings.add(iova, b);
          return iovas;
        });
  }

  @Override
  public DmaMapping map(DmaBuffer buffer, Protection protection) {
    return attached(
        "map memory",
        () -> {
          Iova at = mappings.place(iovaRanges(), windows.granule(), buffer);
          map(at, buffer, protection);
          return mappings.placed().add(new DmaMapping(this, at, buffer));
        });
  }

  @Override
  public long unmap(AddressRange iovas) {
    return attached("unmap memory", () -> mappings.unmap(iovas, space));
  }

  @Override
  public long unmap(DmaMapping m) {
    return locked(() -> mappings.placed().has(m) ? unmap(m.iovas()) : 0L);
  }

  @Override
  public Granule granule() {
    return attached("tell the granule", windows::granule);
  }

  @Override
  public List<AddressRange> iovaRanges() {
    return windows().stream().map(DmaWindow::iovas).toList();
  }

  /// {@return IOVAs that can be mapped, ascending, each with the sizes of its pages}
  ///
  /// @throws NotAttached when no group is attached
  public List<DmaWindow> windows() {
    return attached("tell the IOVA ranges", windows::all);
  }

  /// Makes a window of IOVAs with pages of some size. The kernel places it.
  ///
  /// @param bytes a power of two
  /// @throws NotAttached when no group is attached
  /// @throws KernelLacks where the IOMMU has none that can be made, or no more
  /// @throws ErrnoException when it cannot be as large, or have such pages
  ///
  /// **Source**: Linux `VFIO_IOMMU_SPAPR_TCE_CREATE`
  public DmaWindow addWindow(Granule pages, long bytes) {
    return attached(
        "make a window",
        () -> {
          windows.forget();
          return space.addWindow(pages, bytes);
        });
  }

  /// Takes a window away.
  ///
  /// @throws InUse when something is mapped in it
  public void removeWindow(DmaWindow window) {
    attached(
        "take a window away",
        () -> {
          mappings.requireNoneIn(window.iovas());
          windows.forget();
          space.removeWindow(window);
          return window;
        });
  }

  /// {@return mappings that the kernel has room for; empty where it has no such limit, or does not tell}
  /// @throws NotAttached when no group is attached
  ///
  /// **Source**: Linux `VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL`; the limit is `vfio_iommu_type1`'s `dma_entry_limit`
  public OptionalLong mappingsLeft() {
    return attached("tell how many mappings are left", space::mappingsLeft);
  }

  /// Has the kernel remember what devices write, until the result is closed.
  ///
  /// @throws NotAttached when no group is attached
  /// @throws KernelLacks where it cannot
  /// @throws InUse when it does already
  public DirtyPages trackWrites() {
    return attached(
        "track writes",
        () -> {
          if (tracked != null) {
            throw new InUse("track writes", name, "another tracking of it");
          }
          DirtyPages t = new DirtyPages(this, space.startDirty());
          tracked = t;
          return t;
        });
  }

  /// {@return pages of the mappings that were written}
  List<AddressRange> takeDirty(DirtyPages by) {
    return attached(
        "tell what was written",
        () -> {
          if (tracked != by) {
            throw new IllegalStateException("the tracking of writes in " + name + " has ended");
          }
          return by.collect(mappings.all(), space);
        });
  }

  void endTracking(DirtyPages by) {
    locked(() -> {
      if (tracked == by) {
        tracked = null;
        space.stopDirty();
      }
      return by;
    });
  }

  @Override
  public List<ReservedRegion> reserved() {
    return locked(() -> groups.stream().flatMap(g -> g.reserved().stream()).distinct().toList());
  }

  @Override
  public MsiWindowNeed msiWindowNeed() {
    return need(() -> groups.stream().flatMap(g -> g.functions().stream()).toList());
  }

  @Override
  public MsiWindowNeed msiWindowBound() {
    return need(() ->
        vfio.files().groups().stream().flatMap(g -> vfio.files().functions(g).stream()).toList());
  }

  private MsiWindowNeed need(Supplier<List<Sbdf>> functions) {
    return attached(
        "tell the MSI window that is needed",
        () -> KernelWindow.need(functions.get(), vfio.options().doorbells(), windows.granule()));
  }

  /// Refuses vectors for which the kernel's window has no room: the kernel itself would map past its end.
  void requireRoomForDoorbells() {
    msiWindow().ifPresent(w -> KernelWindow.require(name, w, msiWindowNeed(), granule()));
  }

  @Override
  public void reserveMsiWindow(AddressRange range) {
    throw KernelWindow.fixed(range, msiWindow(), !groups().isEmpty());
  }

  @Override
  public void removeMsiWindow() {
    reserveMsiWindow(msiWindow().orElse(HostFiles.SW_MSI));
  }

  @Override
  public Optional<AddressRange> msiWindow() {
    return reserved().stream()
        .filter(r -> r.kind() == ReservedRegion.Kind.SW_MSI)
        .map(ReservedRegion::range)
        .findFirst();
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

  /// {@return what an action on a container with a group answers}
  private <T> T attached(String attempt, Supplier<T> action) {
    return locked(() -> {
      requireOpen();
      if (groups.isEmpty()) {
        throw new NotAttached(attempt, name, "attach a group to " + name + " first");
      }
      return action.get();
    });
  }

  private <T> T locked(Supplier<T> action) {
    lock.lock();
    try {
      return action.get();
    } finally {
      lock.unlock();
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException(name + " is closed");
    }
  }
}
