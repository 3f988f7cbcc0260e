package dev.doorbell.hw.amdvi;

import static dev.doorbell.hw.amdvi.CommandLayout.*;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bus.PageResponse;

/// A command as it lies in the buffer.
///
/// **Source** 48882 revision 3.09, 2.4.
record AmdViCommand(long w0, long w1) {
  /// Above this difference of the first and last address everything is invalidated: larger sizes cannot be stated.
  private static final int MOST_BIT = 51;

  String name() {
    String name = OPCODE.names().nameOf(OPCODE.get(w0));
    return name.isEmpty() ? "command " + OPCODE.get(w0) : name;
  }

  /// {@return COMPLETION_WAIT that does nothing but wait}
  static AmdViCommand barrier() {
    return new AmdViCommand(WAIT_OPCODE.place(COMPLETION_WAIT), 0);
  }

  /// {@return COMPLETION_WAIT that stores a value, at a multiple of 8}
  static AmdViCommand completion(long at, long value) {
    return new AmdViCommand(
        WAIT_OPCODE.place(COMPLETION_WAIT)
            | WAIT_STORE.mask()
            | WAIT_FLUSH.mask()
            | WAIT_ADDRESS.place(at),
        value);
  }

  static AmdViCommand device(int device) {
    return new AmdViCommand(DEVICE_OPCODE.place(INVALIDATE_DEVTAB_ENTRY) | DEVICE.place(device), 0);
  }

  static AmdViCommand interrupts(int device) {
    return new AmdViCommand(
        INTERRUPT_OPCODE.place(INVALIDATE_INTERRUPT_TABLE) | INTERRUPT_DEVICE.place(device), 0);
  }

  /// {@return the invalidation of a domain's translations, directories included, of the smallest aligned power of two that holds a range}
  ///
  /// @param format whose addresses they are: those of guest tables are PASID 0's
  static AmdViCommand pages(int domain, PageFormat format, AddressRange range) {
    int top = Long.SIZE - 1 - Long.numberOfLeadingZeros(range.start() ^ range.last());
    if (top > MOST_BIT) {
      return all(domain, format);
    }
    long operand = operand(format);
    if (top < IoPageLayout.PAGE_BITS) {
      return pages(domain, operand | PAGES_ADDRESS.place(range.start() & PAGES_ADDRESS.mask()));
    }
    // Ones below, and a zero at, the highest bit in which first and last address differ.
    long size = 1L << top;
    long address = range.start() & -size & ~size | size - 1;
    return pages(
        domain, operand | PAGES_S.mask() | PAGES_ADDRESS.place(address & PAGES_ADDRESS.mask()));
  }

  /// {@return the invalidation of all of a domain's translations}
  static AmdViCommand all(int domain, PageFormat format) {
    return pages(domain, operand(format) | PAGES_S.mask() | PAGES_ADDRESS.place(ALL_ADDRESSES));
  }

  private static long operand(PageFormat format) {
    return PAGES_PDE.mask() | (format == PageFormat.GUEST ? PAGES_GN.mask() : 0);
  }

  private static AmdViCommand pages(int domain, long operand) {
    return new AmdViCommand(
        PAGES_OPCODE.place(INVALIDATE_IOMMU_PAGES) | PAGES_DOMAIN.place(domain), operand);
  }

  /// {@return what answers a group of page requests}
  static AmdViCommand complete(PageResponse response) {
    boolean named = response.pasid() >= 0;
    return new AmdViCommand(
        COMPLETE_OPCODE.place(COMPLETE_PPR_REQUEST)
            | COMPLETE_DEVICE.place(response.requester())
            | COMPLETE_PASID.place(named ? response.pasid() : 0),
        (named ? COMPLETE_GN.mask() : 0)
            | COMPLETE_GROUP.place(response.group())
            | COMPLETE_CODE.place(response.code()));
  }

  static AmdViCommand everything() {
    return new AmdViCommand(ALL_OPCODE.place(INVALIDATE_IOMMU_ALL), 0);
  }
}
