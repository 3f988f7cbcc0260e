package dev.doorbell.iommu;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import java.util.List;
import java.util.Optional;

/// One set of translation tables, in the hardware's format, shared by all streams attached to it. Safe for use from many threads.
public interface AddressSpace extends AutoCloseable {
  Granule granule();

  /// {@return a bit set of mapping sizes: bit n for 2^n bytes; the granule and the block sizes}
  long pageSizes();

  /// {@return the IOVAs from the first that can be mapped to the last}
  AddressRange aperture();

  /// {@return IOVAs that can be mapped, ascending: the whole aperture, but for tables of several windows that lie apart}
  default List<AddressRange> iovas() {
    return List.of(aperture());
  }

  /// {@return what a page that is to be mapped by itself must start at a multiple of, a power of two in bytes: the granule, or more where the tables have
  /// few windows of one size}
  ///
  /// @param iova about where
  default long placing(long iova) {
    return granule().bytes();
  }

  /// Maps IOVAs to physical memory, all of it or, when it fails, nothing; in the largest blocks that fit.
  ///
  /// @param bytes multiple of the granule, as are `iova` and `pa`
  /// @throws IllegalArgumentException when misaligned, outside the aperture or output size, or when part of it is mapped
  /// @throws dev.doorbell.bus.OutOfFramesException when there is no memory for tables
  void map(Iova iova, Pa pa, long bytes, Protection protection);

  /// Unmaps IOVAs, all of them or, when it fails, none; part of a block splits it. On return no attached IOMMU holds a translation of them. IOVAs that are not
  /// mapped are passed over.
  ///
  /// {@return bytes that were mapped}
  ///
  /// @throws dev.doorbell.bus.OutOfFramesException when a block must be split and there is no memory
  long unmap(Iova iova, long bytes);

  /// {@return what the tables say for an address}
  Optional<Pa> translate(Iova iova);

  /// Gives the tables back.
  ///
  /// @throws IllegalStateException when a stream is still attached
  @Override
  void close();
}
