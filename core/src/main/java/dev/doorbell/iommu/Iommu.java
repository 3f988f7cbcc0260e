package dev.doorbell.iommu;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import java.util.List;

/// One IOMMU as the iommu room drives it; each piece of IOMMU hardware has a driver that implements it.
/// Every method returns only after the hardware has completed the invalidations it needs. Safe for use from many threads.
public interface Iommu {
  /// {@return the id of the machine description, such as `smmuv3@0x9050000`}
  String id();

  IommuCapabilities capabilities();

  /// {@return empty translation tables, attached to nothing}
  ///
  /// @throws IllegalArgumentException when the hardware has not this granule
  /// @throws dev.doorbell.bus.OutOfFramesException when there is no memory for tables
  AddressSpace createAddressSpace(Granule granule);

  /// {@return empty translation tables, attached to nothing, made for some IOVAs where that is to be chosen} They may hold more, and, where the hardware
  /// cannot hold these, less.
  ///
  /// @param wanted IOVAs that will be mapped; empty for what is usual
  /// @throws IllegalArgumentException when the hardware has not this granule
  /// @throws dev.doorbell.bus.OutOfFramesException when there is no memory for tables
  default AddressSpace createAddressSpace(Granule granule, List<AddressRange> wanted) {
    return createAddressSpace(granule);
  }

  /// Lets a stream translate through tables made by this IOMMU or by another one of its kind. What the stream used before is
  /// replaced in one step as seen by the device (no window of bypass, and no fault for what both map alike, where the hardware
  /// can do that).
  ///
  /// @throws IllegalArgumentException when the stream or the tables are not ones this IOMMU can use
  void attach(int streamId, AddressSpace space);

  /// Aborts every access of a stream.
  void block(int streamId);

  /// Lets a stream's accesses pass untranslated.
  void bypass(int streamId);

  /// {@return whether {@link #attach} would replace what the stream uses now in one step as seen by the device: an access that
  /// both translate alike never faults in between}
  ///
  /// Where it is false, functions with live vectors are masked across the change.
  default boolean attachesHitlessly(int streamId, AddressSpace space) {
    return false;
  }
}
