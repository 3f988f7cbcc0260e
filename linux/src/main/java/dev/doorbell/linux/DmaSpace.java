package dev.doorbell.linux;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.iommu.Protection;
import dev.doorbell.pci.Sbdf;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.OptionalLong;

/// The kernel's side of a container: one IOVA space. Guarded by the container's lock. Every refusal leaves it as before.
sealed interface DmaSpace extends AutoCloseable permits Type1Space, SpaprSpace, IommufdSpace {
  /// Takes a group in.
  void attach(LinuxGroup group);

  /// Lets a group go. With the last one all mappings go, too.
  void detach(LinuxGroup group);

  /// {@return a function of a group that is attached, owned by the caller}
  Descriptor open(LinuxGroup group, Sbdf function);

  /// {@return the file by which KVM knows a function of a group that is attached; stays this space's own}
  Descriptor kvmFile(LinuxGroup group, Sbdf function);

  /// {@return files that prove to the kernel that this container has some groups; none where the function's own file does}
  List<Descriptor> proof(List<Integer> groups);

  /// {@return IOVAs that can be mapped, ascending, each with its sizes of pages; known once a group is attached}
  List<DmaWindow> windows();

  void map(AddressRange iovas, ProcessBuffer memory, Protection protection);

  /// Unmaps whole mappings.
  ///
  /// {@return bytes that the kernel says were mapped; empty where it does not tell}
  OptionalLong unmap(AddressRange iovas);

  /// Called for each mapping that is gone: the kernel need not lock its memory any more, where it was told to.
  default void unlock(ProcessBuffer memory) {}

  /// {@return mappings that there is room for; empty where the kernel has no such limit, or does not tell}
  OptionalLong mappingsLeft();

  /// Adds a window of IOVAs.
  ///
  /// @throws KernelLacks where all that the IOMMU can translate is there already
  default DmaWindow addWindow(Granule pages, long bytes) {
    throw KernelLacks.windows();
  }

  /// Takes a window away, in which nothing is mapped.
  default void removeWindow(DmaWindow window) {
    throw KernelLacks.windows();
  }

  /// Has the kernel remember what devices write, from now on.
  ///
  /// {@return the size of pages that it remembers}
  ///
  /// @throws KernelLacks where it cannot
  Granule startDirty();

  void stopDirty();

  /// Marks the pages that devices may have written since the last time, and has the kernel forget them.
  ///
  /// @param iovas one whole mapping
  /// @param bits a bit a page, from the lowest bit of the first 64-bit word on; set bits stay
  void dirty(AddressRange iovas, Granule page, MemorySegment bits);

  @Override
  void close();
}
