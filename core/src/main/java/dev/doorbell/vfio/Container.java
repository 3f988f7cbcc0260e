package dev.doorbell.vfio;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.iommu.Protection;
import dev.doorbell.iommu.ReservedRegion;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/// One IOVA space and the groups in it. Safe for use from many threads. Every refusal leaves it as before.
public interface Container extends AutoCloseable {
  /// Takes a group in.
  ///
  /// @throws NotViable when the host uses one of its functions
  /// @throws InUse when a container has it
  /// @throws dev.doorbell.iommu.NotIsolated when its functions could forge others' vectors and that is not allowed
  /// @throws dev.doorbell.iommu.ReservedRegionConflict when a region that it reserves meets a live mapping
  /// @throws dev.doorbell.iommu.MsiWindowConflict when a region that it reserves meets the MSI window
  /// @throws dev.doorbell.iommu.IncompatibleIommu when its IOMMU cannot use this container's tables
  /// @throws NoPlaceForWindow when the automatic MSI window finds none
  void attach(Group group);

  /// Lets a group go; it reaches nothing any more.
  ///
  /// @throws NotAttached when it is not in this container
  /// @throws InUse when one of its functions is open
  void detach(Group group);

  List<Group> groups();

  /// {@return zeroed memory of the machine, in whole granules of at least some bytes}
  DmaBuffer allocate(long bytes);

  /// {@return memory of this process as a buffer}
  ///
  /// @throws NotMachineMemory when the devices of this machine cannot reach it
  DmaBuffer wrap(MemorySegment memory);

  /// Lets devices reach a buffer.
  ///
  /// @throws NotAttached when no group is attached
  /// @throws dev.doorbell.iommu.Misaligned when the IOVA, or the buffer's size, is not a multiple of the granule
  /// @throws dev.doorbell.iommu.OutsideAperture when the IOMMU cannot translate all of it
  /// @throws dev.doorbell.iommu.MappingOverlap when part of it is mapped
  /// @throws dev.doorbell.iommu.MsiWindowConflict when it meets the MSI window
  /// @throws dev.doorbell.iommu.ReservedRegionConflict when it meets a reserved region
  void map(Iova iova, DmaBuffer buffer, Protection protection);

  /// Lets devices reach a buffer at IOVAs that the container chooses: the lowest that are free. It looks at every mapping; programs that
  /// map on each I/O choose IOVAs themselves.
  ///
  /// {@return the mapping; closing it unmaps the buffer}
  ///
  /// @throws NotAttached when no group is attached
  /// @throws NoPlaceForMapping when no free IOVAs are as long
  /// @throws dev.doorbell.iommu.Misaligned when the buffer is not of whole granules
  DmaMapping map(DmaBuffer buffer, Protection protection);

  /// Unmaps every mapping that lies in a range; holes and the MSI window are passed over. On return no device reaches them.
  ///
  /// {@return bytes that were mapped}
  ///
  /// @throws dev.doorbell.iommu.UnmapSplitsMapping when a mapping lies partly in the range
  long unmap(AddressRange iovas);

  /// Unmaps what {@link #map(DmaBuffer, Protection)} mapped, if it is still there, as {@link #unmap(AddressRange)} does. What else came to its
  /// IOVAs since is left alone.
  ///
  /// {@return bytes that were mapped; 0 where it was gone}
  long unmap(DmaMapping mapping);

  /// {@return the smallest mapping}
  ///
  /// @throws NotAttached when no group is attached and none was chosen
  Granule granule();

  /// {@return IOVAs that can be mapped, ascending: without reserved regions and without the MSI window}
  ///
  /// @throws NotAttached when no group is attached
  List<AddressRange> iovaRanges();

  /// {@return regions that the groups reserve, and the MSI window where it is}
  List<ReservedRegion> reserved();

  /// {@return what the functions of the attached groups need, known before any memory is mapped}
  ///
  /// @throws NotAttached when no group is attached
  MsiWindowNeed msiWindowNeed();

  /// {@return what any function of the machine could need, so that hot-plug never finds the window too small}
  ///
  /// @throws NotAttached when no group is attached
  MsiWindowNeed msiWindowBound();

  /// Registers the MSI window: once, before or after groups are attached.
  ///
  /// @throws WindowFixedByKernel when the kernel has its own
  /// @throws dev.doorbell.iommu.MsiWindowAlreadySet when there is one
  /// @throws dev.doorbell.iommu.MsiWindowConflict when it meets a mapping or a reserved region
  /// @throws dev.doorbell.iommu.OutsideAperture when it reaches beyond what the IOMMU can translate
  void reserveMsiWindow(AddressRange range);

  /// Removes the MSI window.
  ///
  /// @throws WindowFixedByKernel when it is the kernel's
  /// @throws dev.doorbell.iommu.MsiWindowInUse when a doorbell is mapped in it
  void removeMsiWindow();

  /// {@return the MSI window, registered or automatic}
  Optional<AddressRange> msiWindow();

  /// Unmaps everything and lets the groups go.
  ///
  /// @throws InUse when a device is open
  @Override
  void close();
}
