package dev.doorbell.iommu;

/// An IOMMU that tells the processes of one device apart: accesses that carry a SubstreamID (a PASID of PCI Express) go through tables of
/// their own, beside those that the stream as a whole is attached to.
///
/// {@link #attach(int, AddressSpace)}, {@link #block} and {@link #bypass} are about the stream as a whole: they end all its substreams. As
/// there, every method returns only after the hardware has completed the invalidations it needs, and a change that fails leaves
/// what was before. Safe for use from many threads.
public interface SubstreamIommu extends Iommu {
  /// {@return width of a SubstreamID; 0 where the hardware has none}
  int substreamIdBits();

  /// Lets the accesses of a stream that carry a SubstreamID translate through tables, in place of those that it had. Accesses
  /// without one go where they went before, also while the stream is blocked or bypassed.
  ///
  /// @param substreamId from 1 on: 0 is for accesses without one
  /// @throws IllegalArgumentException when stream, SubstreamID or tables are not ones this IOMMU can use
  /// @throws IllegalStateException when what the stream is attached to leaves no room for substreams
  /// @throws dev.doorbell.bus.OutOfFramesException when there is no memory for tables; nothing is changed then
  void attach(int streamId, int substreamId, AddressSpace space);

  /// Aborts the accesses of a stream that carry a SubstreamID; nothing happens where it is attached to nothing.
  void detach(int streamId, int substreamId);
}
