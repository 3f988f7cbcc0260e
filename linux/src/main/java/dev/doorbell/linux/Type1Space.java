package dev.doorbell.linux;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.explain.Source;
import dev.doorbell.iommu.NotIsolated;
import dev.doorbell.iommu.Protection;
import dev.doorbell.linux.LinuxOptions.Access;
import dev.doorbell.pci.Sbdf;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;

/// A VFIO container with the type 1 IOMMU, version 2.
final class Type1Space implements DmaSpace, ContainerFiles.Iommu {
  /// What {@link #map} and {@link #unmap} hand to the kernel; one a thread, every member written each time.
  private static final ThreadLocal<MemorySegment> MAP =
      ThreadLocal.withInitial(() -> VfioLayout.DMA_MAP.allocate(Arena.ofAuto()));

  private static final ThreadLocal<MemorySegment> UNMAP =
      ThreadLocal.withInitial(() -> VfioLayout.DMA_UNMAP.allocate(Arena.ofAuto()));

  private final ContainerFiles files;

  Type1Space(ContainerFiles files) {
    this.files = files;
  }

  @Override
  public void attach(LinuxGroup group) {
    files.attach(group, this);
  }

  @Override
  public void choose(LinuxGroup first) {
    int answer =
        files
            .container()
            .tryIoctl(VfioLayout.VFIO_SET_IOMMU, MemorySegment.ofAddress(VfioLayout.TYPE1V2_IOMMU));
    if (answer < 0) {
      throw refused(first, Errno.in(answer), VfioLayout.VFIO_SET_IOMMU);
    }
  }

  /// EPERM of the container's IOMMU and of who claims the group cannot be told apart; that a group is in already speaks for the latter.
  @Override
  public RuntimeException refused(LinuxGroup group, Errno e) {
    if (e.equals(Errno.EBUSY)) {
      return files.inUse(group);
    }
    Optional<Because> firmware = FirmwareDemand.of(group, e);
    return e.equals(Errno.EPERM) && firmware.isEmpty()
        ? files.owned(group, "its interrupts are not isolated (`dmesg` tells)")
        : refused(group, e, VfioLayout.VFIO_GROUP_SET_CONTAINER);
  }

  private RuntimeException refused(LinuxGroup group, Errno e, Ioctl request) {
    Optional<Because> firmware = FirmwareDemand.of(group, e);
    if (firmware.isPresent()) {
      return new ErrnoException(request.name(), group.name(), e, firmware.get());
    }
    if (e.equals(Errno.EPERM) && !files.host().allowsUnsafeInterrupts(Access.CONTAINER)) {
      return new NotIsolated(
          files.name(),
          group.name(),
          group.functions().getFirst().toString(),
          "the kernel's MSI controller",
          Source.file(files.host().unsafeInterrupts(Access.CONTAINER)));
    }
    return new ErrnoException(request.name(), group.name(), e, why(e));
  }

  private static Because why(Errno e) {
    return switch (e.name()) {
      case "EPERM" ->
          new Because(
              "the driver of its IOMMU does not allow it, and unsafe interrupts are allowed already",
              "look at the end of `dmesg`, where that driver says why");
      case "ENODEV", "EINVAL" ->
          new Because(
              "the kernel's VFIO has no type 1 IOMMU (version 2), or its IOMMU takes no domain for this group",
              "`modprobe vfio_iommu_type1`, and look at the end of `dmesg`");
      default -> Because.general(e);
    };
  }

  @Override
  public void detach(LinuxGroup group) {
    files.detach(group);
  }

  @Override
  public Descriptor kvmFile(LinuxGroup group, Sbdf function) {
    return files.file(group);
  }

  @Override
  public Descriptor open(LinuxGroup group, Sbdf function) {
    return files.open(group, function);
  }

  @Override
  public List<Descriptor> proof(List<Integer> groups) {
    return files.of(groups);
  }

  @Override
  public List<DmaWindow> windows() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment info = info(arena);
      long sizes = VfioLayout.TYPE1_PGSIZES.get(info);
      return ranges(info).stream().sorted().map(r -> new DmaWindow(r, sizes)).toList();
    }
  }

  private static List<AddressRange> ranges(MemorySegment info) {
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
    return out;
  }

  @Override
  public OptionalLong mappingsLeft() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment info = info(arena);
      OptionalLong cap = cap(info, VfioLayout.CAP_DMA_AVAIL);
      return cap.isEmpty() ? cap : OptionalLong.of(VfioLayout.DMA_AVAIL.get(info, cap.getAsLong()));
    }
  }

  private MemorySegment info(Arena arena) {
    return InfoCaps.ask(
        arena, files.container(), VfioLayout.VFIO_IOMMU_GET_INFO, VfioLayout.TYPE1_INFO, s -> {});
  }

  private static OptionalLong cap(MemorySegment info, int id) {
    boolean has = (VfioLayout.TYPE1_FLAGS.getInt(info) & VfioLayout.TYPE1_HAS_CAPS) != 0;
    return has
        ? InfoCaps.find(info, VfioLayout.TYPE1_CAP_OFFSET.get(info), id)
        : OptionalLong.empty();
  }

  @Override
  public void map(AddressRange iovas, ProcessBuffer memory, Protection protection) {
    map(files, iovas, memory, protection, e -> mapRefused(e, iovas));
  }

  /// Maps memory, in the way of every VFIO container.
  static void map(
      ContainerFiles files,
      AddressRange iovas,
      ProcessBuffer memory,
      Protection protection,
      Because.Teller why) {
    MemorySegment m = MAP.get();
    int flags =
        (protection.read() ? VfioLayout.MAP_READ : 0)
            | (protection.write() ? VfioLayout.MAP_WRITE : 0);
    VfioLayout.DMA_MAP_ARGSZ.set(m, m.byteSize());
    VfioLayout.DMA_MAP_FLAGS.set(m, flags);
    VfioLayout.DMA_MAP_VADDR.set(m, memory.address());
    VfioLayout.DMA_MAP_IOVA.set(m, iovas.start());
    VfioLayout.DMA_MAP_SIZE.set(m, iovas.bytes());
    files.container().ioctl(VfioLayout.VFIO_IOMMU_MAP_DMA, m, why);
  }

  private Because mapRefused(Errno e, AddressRange iovas) {
    if (e.equals(Errno.ENOSPC)) {
      OptionalLong left = mappingsLeft();
      return new Because(
          "the kernel has no room for another mapping in this container%s"
              .formatted(left.isPresent() ? " (%d left)".formatted(left.getAsLong()) : ""),
          "map larger pieces, or raise vfio_iommu_type1's dma_entry_limit");
    }
    return LockedMemory.because(e, files.host(), iovas.bytes());
  }

  @Override
  public OptionalLong unmap(AddressRange iovas) {
    return OptionalLong.of(unmap(files, iovas));
  }

  /// Unmaps, in the way of every VFIO container.
  ///
  /// {@return the size that the kernel left in the request}
  static long unmap(ContainerFiles files, AddressRange iovas) {
    MemorySegment m = UNMAP.get();
    VfioLayout.DMA_UNMAP_ARGSZ.set(m, m.byteSize());
    VfioLayout.DMA_UNMAP_FLAGS.set(m, 0);
    VfioLayout.DMA_UNMAP_IOVA.set(m, iovas.start());
    VfioLayout.DMA_UNMAP_SIZE.set(m, iovas.bytes());
    files.container().ioctl(VfioLayout.VFIO_IOMMU_UNMAP_DMA, m);
    return VfioLayout.DMA_UNMAP_SIZE.get(m);
  }

  @Override
  public Granule startDirty() {
    long sizes = dirtyPageSizes();
    dirty(VfioLayout.DIRTY_START, 0, s -> {});
    return new Granule(Long.numberOfTrailingZeros(sizes));
  }

  /// {@return sizes of pages by which the kernel remembers writes}
  private long dirtyPageSizes() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment info = info(arena);
      OptionalLong cap = cap(info, VfioLayout.CAP_MIGRATION);
      if (cap.isEmpty()) {
        throw KernelLacks.dirtyTracking(
            "the kernel's type 1 IOMMU does not remember what devices write",
            Source.rule("Linux VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION"),
            "use a kernel of 5.8 or later, or iommufd where the IOMMU itself remembers");
      }
      return VfioLayout.MIGRATION_PGSIZES.get(info, cap.getAsLong());
    }
  }

  @Override
  public void stopDirty() {
    dirty(VfioLayout.DIRTY_STOP, 0, s -> {});
  }

  @Override
  public void dirty(AddressRange iovas, Granule page, MemorySegment bits) {
    dirty(
        VfioLayout.DIRTY_GET_BITS,
        VfioLayout.DIRTY_GET.bytes(),
        s -> {
          VfioLayout.DIRTY_GET_IOVA.set(s, iovas.start());
          VfioLayout.DIRTY_GET_SIZE.set(s, iovas.bytes());
          MemorySegment b = s.asSlice(VfioLayout.DIRTY_GET_BITMAP.offset());
          VfioLayout.BITMAP_PGSIZE.set(b, page.bytes());
          VfioLayout.BITMAP_SIZE.set(b, bits.byteSize());
          VfioLayout.BITMAP_DATA.set(b, bits.address());
        });
  }

  private void dirty(int flags, long extra, Consumer<MemorySegment> fill) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment s = VfioLayout.DIRTY.allocate(arena, extra);
      VfioLayout.DIRTY_ARGSZ.set(s, s.byteSize());
      VfioLayout.DIRTY_FLAGS.set(s, flags);
      fill.accept(s.asSlice(VfioLayout.DIRTY_DATA.offset()));
      files.container().ioctl(VfioLayout.VFIO_IOMMU_DIRTY_PAGES, s);
    }
  }

  @Override
  public void close() {
    files.close();
  }
}
