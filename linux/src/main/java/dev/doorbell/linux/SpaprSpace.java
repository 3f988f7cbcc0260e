package dev.doorbell.linux;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.explain.Source;
import dev.doorbell.iommu.Protection;
import dev.doorbell.pci.Sbdf;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/// A VFIO container with the IOMMU of POWER servers: windows of IOVAs, each with a table (TCEs) whose pages have one size.
///
/// Version 2 locks memory when it is registered, and maps what is registered; each buffer is registered as a whole while some of it is
/// mapped. Version 1, for groups whose platform has no more, counts its whole window as locked when the container is enabled.
///
/// **Source**: Linux `drivers/vfio/vfio_iommu_spapr_tce.c`, `Documentation/driver-api/vfio.rst` ("PPC64 sPAPR implementation note")
final class SpaprSpace implements DmaSpace, ContainerFiles.Iommu {
  private final ContainerFiles files;
  private final List<DmaWindow> windows = new ArrayList<>();

  /// Memory that is registered, and how many mappings want it.
  private final Map<AddressRange, Integer> registered = new HashMap<>();

  /// Whether the groups are driven by version 2.
  private boolean registers;

  SpaprSpace(ContainerFiles files) {
    this.files = files;
  }

  @Override
  public void attach(LinuxGroup group) {
    files.attach(group, this);
  }

  @Override
  public void choose(LinuxGroup first) {
    int answer = -Errno.EPERM.number();
    if (files.has(SpaprLayout.SPAPR_TCE_V2_IOMMU)) {
      answer = trySet(SpaprLayout.SPAPR_TCE_V2_IOMMU);
    }
    registers = answer >= 0;
    if (answer == -Errno.EPERM.number() && files.has(SpaprLayout.SPAPR_TCE_IOMMU)) {
      answer = trySet(SpaprLayout.SPAPR_TCE_IOMMU);
    }
    if (answer < 0) {
      Errno e = Errno.in(answer);
      throw new ErrnoException(
          VfioLayout.VFIO_SET_IOMMU.name(), first.name(), e, Because.general(e));
    }
    windows.clear();
    windows.add(firstWindow());
    if (!registers) {
      long all = windows.getFirst().iovas().bytes();
      files
          .container()
          .ioctl(
              SpaprLayout.VFIO_IOMMU_ENABLE,
              MemorySegment.NULL,
              e -> LockedMemory.because(e, files.host(), all));
    }
  }

  private int trySet(int kind) {
    return files.container().tryIoctl(VfioLayout.VFIO_SET_IOMMU, MemorySegment.ofAddress(kind));
  }

  @Override
  public RuntimeException refused(LinuxGroup group, Errno e) {
    Because why =
        e.equals(Errno.EPERM) || e.equals(Errno.EBUSY)
            ? new Because(
                "%s cannot share a table with the groups that %s has"
                    .formatted(group.name(), files.name()),
                "attach it to a container of its own: on pseries, and with version 1, a container has one group")
            : Because.general(e);
    return new ErrnoException(VfioLayout.VFIO_GROUP_SET_CONTAINER.name(), group.name(), e, why);
  }

  /// The window that the platform begins with, with pages of 4 KiB. The kernel makes it when it is first used.
  private DmaWindow firstWindow() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment info = info(arena);
      return new DmaWindow(
          AddressRange.ofSize(
              SpaprLayout.INFO_DMA32_START.get(info), SpaprLayout.INFO_DMA32_SIZE.get(info)),
          Granule.K4.bytes());
    }
  }

  private MemorySegment info(Arena arena) {
    MemorySegment s = SpaprLayout.INFO.allocate(arena);
    SpaprLayout.INFO_ARGSZ.set(s, s.byteSize());
    files.container().ioctl(SpaprLayout.VFIO_IOMMU_SPAPR_TCE_GET_INFO, s);
    return s;
  }

  @Override
  public void detach(LinuxGroup group) {
    files.detach(group);
    if (files.isEmpty()) {
      // The kernel gives tables and registered memory back with the last group.
      windows.clear();
      registered.clear();
    }
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
    return List.copyOf(windows);
  }

  @Override
  public OptionalLong mappingsLeft() {
    return OptionalLong.empty();
  }

  @Override
  public DmaWindow addWindow(Granule pages, long bytes) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment info = info(arena);
      boolean can = (SpaprLayout.INFO_FLAGS.get(info) & SpaprLayout.INFO_DDW) != 0;
      if (!can || windows.size() >= SpaprLayout.INFO_DDW_WINDOWS.get(info)) {
        throw KernelLacks.windows();
      }
      MemorySegment c = SpaprLayout.CREATE.allocate(arena);
      SpaprLayout.CREATE_ARGSZ.set(c, c.byteSize());
      SpaprLayout.CREATE_PAGE_SHIFT.set(c, pages.shift());
      SpaprLayout.CREATE_WINDOW_SIZE.set(c, bytes);
      create(c, SpaprLayout.INFO_DDW_LEVELS.getInt(info), refusedWindow(info, pages, bytes));
      DmaWindow made =
          new DmaWindow(
              AddressRange.ofSize(SpaprLayout.CREATE_START_ADDR.get(c), bytes), pages.bytes());
      windows.add(made);
      windows.sort(Comparator.comparing(DmaWindow::iovas));
      return made;
    }
  }

  /// A table of more levels needs no large piece of memory in one; one of few is faster.
  private void create(MemorySegment request, int mostLevels, Because.Teller why) {
    for (int levels = 1; ; levels++) {
      SpaprLayout.CREATE_LEVELS.set(request, levels);
      int answer = files.container().tryIoctl(SpaprLayout.VFIO_IOMMU_SPAPR_TCE_CREATE, request);
      if (answer >= 0) {
        return;
      }
      Errno e = Errno.in(answer);
      boolean tooFew = e.equals(Errno.ENOMEM) || e.equals(Errno.EINVAL);
      if (!tooFew || levels >= mostLevels) {
        throw new ErrnoException(
            SpaprLayout.VFIO_IOMMU_SPAPR_TCE_CREATE.name(), files.name(), e, why.of(e));
      }
    }
  }

  private Because.Teller refusedWindow(MemorySegment info, Granule pages, long bytes) {
    long sizes = SpaprLayout.INFO_DDW_PGSIZES.get(info);
    return e ->
        switch (e.name()) {
          case "EINVAL" ->
              new Because(
                  "no window of 0x%x bytes with pages of %s can be made here"
                      .formatted(bytes, pages),
                  "take a power of two of bytes, and a size of pages in 0x%x".formatted(sizes));
          case "ENOMEM" -> LockedMemory.of(files.host()).refused(tableBytes(bytes, pages.bytes()));
          default -> Because.general(e);
        };
  }

  @Override
  public void removeWindow(DmaWindow window) {
    if (!windows.contains(window)) {
      throw new IllegalArgumentException(files.name() + " has no window " + window.iovas());
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment r = SpaprLayout.REMOVE.allocate(arena);
      SpaprLayout.REMOVE_ARGSZ.set(r, r.byteSize());
      SpaprLayout.REMOVE_START_ADDR.set(r, window.iovas().start());
      files.container().ioctl(SpaprLayout.VFIO_IOMMU_SPAPR_TCE_REMOVE, r);
    }
    windows.remove(window);
  }

  @Override
  public void map(AddressRange iovas, ProcessBuffer memory, Protection protection) {
    if (registers) {
      register(memory);
    }
    try {
      Type1Space.map(files, iovas, memory, protection, e -> mapRefused(e, iovas));
    } catch (RuntimeException | Error e) {
      unlock(memory);
      throw e;
    }
  }

  private Because mapRefused(Errno e, AddressRange iovas) {
    return e.equals(Errno.EPERM)
        ? new Because(
            "the memory's own pages are smaller than those of the window that has " + iovas,
            "take memory in huge pages, or map it in a window of smaller ones")
        : registers && e.equals(Errno.ENOMEM)
            ? tableRefused(iovas)
            : LockedMemory.because(e, files.host(), iovas.bytes());
  }

  /// What a window's table takes of the locked memory: the IOMMU's, and the kernel's own of user addresses beside it, of one level.
  ///
  /// **Source**: `pnv_pci_ioda2_get_table_size`, `arch/powerpc/platforms/powernv/pci-ioda.c`
  private static long tableBytes(long windowBytes, long pageBytes) {
    return 2 * (windowBytes / pageBytes) * Long.BYTES;
  }

  /// Registered memory is locked already: what a mapping still takes is the platform's window, whose table counts when it is made
  /// (`tce_iommu_create_default_window`).
  private Because tableRefused(AddressRange iovas) {
    DmaWindow w = windows.stream().filter(o -> o.iovas().contains(iovas)).findFirst().orElseThrow();
    return LockedMemory.of(files.host())
        .refused(tableBytes(w.iovas().bytes(), Long.lowestOneBit(w.pageSizes())))
        .of("the table of the window " + w.iovas());
  }

  /// Whole pages of the process around a buffer.
  private AddressRange pages(ProcessBuffer memory) {
    long page = files.host().pageBytes();
    AddressRange m = memory.whole();
    return new AddressRange(m.start() & -page, m.last() | page - 1);
  }

  private void register(ProcessBuffer memory) {
    AddressRange pages = pages(memory);
    if (!registered.containsKey(pages)) {
      request(
          SpaprLayout.VFIO_IOMMU_SPAPR_REGISTER_MEMORY,
          pages,
          e ->
              e.equals(Errno.EINVAL)
                  ? new Because(
                      "memory at %s meets other memory that the container maps".formatted(pages),
                      "wrap both as one segment and map its parts")
                  : LockedMemory.because(e, files.host(), pages.bytes()));
    }
    registered.merge(pages, 1, Integer::sum);
  }

  @Override
  public void unlock(ProcessBuffer memory) {
    AddressRange pages = pages(memory);
    Integer uses = registered.remove(pages);
    if (uses != null && uses > 1) {
      registered.put(pages, uses - 1);
    } else if (uses != null) {
      request(SpaprLayout.VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY, pages, Because::general);
    }
  }

  private void request(Ioctl request, AddressRange memory, Because.Teller why) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment s = SpaprLayout.MEMORY.allocate(arena);
      SpaprLayout.MEMORY_ARGSZ.set(s, s.byteSize());
      SpaprLayout.MEMORY_VADDR.set(s, memory.start());
      SpaprLayout.MEMORY_SIZE.set(s, memory.bytes());
      files.container().ioctl(request, s, why);
    }
  }

  /// A request ends with the window it is in, and says nothing of what was mapped there.
  @Override
  public OptionalLong unmap(AddressRange iovas) {
    for (DmaWindow w : windows) {
      w.iovas().intersection(iovas).ifPresent(part -> Type1Space.unmap(files, part));
    }
    return OptionalLong.empty();
  }

  @Override
  public Granule startDirty() {
    throw KernelLacks.dirtyTracking(
        "the kernel does not remember what devices write on this IOMMU (SPAPR TCE)",
        Source.rule("Linux vfio_iommu_spapr_tce"),
        "copy all memory that is mapped for writing");
  }

  @Override
  public void stopDirty() {
    throw new IllegalStateException("nothing was started");
  }

  @Override
  public void dirty(AddressRange iovas, Granule page, MemorySegment bits) {
    throw new IllegalStateException("nothing was started");
  }

  @Override
  public void close() {
    files.close();
  }
}
