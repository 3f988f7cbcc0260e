package dev.doorbell.linux;

import dev.doorbell.address.AddressRange;
import dev.doorbell.iommu.Protection;
import dev.doorbell.pci.Sbdf;
import java.util.List;

/// The kernel's side of a container: one IOVA space. Guarded by the container's lock. Every refusal leaves it as before.
sealed interface DmaSpace extends AutoCloseable permits Type1Space, IommufdSpace {
  /// Takes a group in.
  void attach(LinuxGroup group);

  /// Lets a group go. With the last one all mappings go, too.
  void detach(LinuxGroup group);

  /// {@return a function of a group that is attached, owned by the caller}
  Descriptor open(LinuxGroup group, Sbdf function);

  /// {@return the file by which KVM knows a function of a group that is attached; stays this space's own}
  Descriptor kvmFile(LinuxGroup group, Sbdf function);

  /// {@return IOVAs that can be mapped, ascending; known once a group is attached}
  List<AddressRange> ranges();

  /// {@return sizes of pages that it maps, a bit each}
  long pageSizes();

  /// @param address of this process's memory
  void map(AddressRange iovas, long address, Protection protection);

  /// Unmaps whole mappings.
  ///
  /// {@return bytes that the kernel says were mapped}
  long unmap(AddressRange iovas);

  @Override
  void close();
}
