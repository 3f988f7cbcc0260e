package dev.doorbell.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// The kernel remembers what devices of a container write: whoever moves memory elsewhere while they work copies only that again.
///
/// With iommufd the IOMMU's own dirty bits tell. A VFIO container of type 1 knows none: there every page that a device could have written
/// counts as written each time. What was written to a mapping before it was unmapped is not told. Safe for use from many threads.
public final class DirtyPages implements AutoCloseable {
  private final LinuxContainer container;
  private final Granule page;

  DirtyPages(LinuxContainer container, Granule page) {
    this.container = container;
    this.page = page;
  }

  /// {@return the size of pages by which writes are remembered}
  public Granule page() {
    return page;
  }

  /// {@return what devices may have written since this was last asked, or since it began: whole pages, ascending, neighbours as one}
  ///
  /// @throws IllegalStateException when it has ended
  /// @throws ErrnoException when the kernel refuses; all that is mapped for writing counts as written then
  public List<AddressRange> take() {
    return container.takeDirty(this);
  }

  /// Asks for each of some mappings.
  List<AddressRange> collect(List<AddressRange> mappings, DmaSpace space) {
    List<AddressRange> out = new ArrayList<>();
    for (AddressRange m : mappings) {
      long pages = Math.ceilDiv(m.bytes(), page.bytes());
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment bits =
            arena.allocate(Math.ceilDiv(pages, Long.SIZE) * Long.BYTES, Long.BYTES);
        space.dirty(m, page, bits);
        for (long word = 0; word < bits.byteSize() / Long.BYTES; word++) {
          long left = bits.getAtIndex(JAVA_LONG, word);
          for (; left != 0; left &= left - 1) {
            long index = word * Long.SIZE + Long.numberOfTrailingZeros(left);
            add(out, AddressRange.ofSize(m.start() + index * page.bytes(), page.bytes()));
          }
        }
      }
    }
    return out;
  }

  private static void add(List<AddressRange> out, AddressRange next) {
    if (!out.isEmpty() && out.getLast().last() + 1 == next.start()) {
      AddressRange before = out.removeLast();
      out.add(new AddressRange(before.start(), next.last()));
    } else {
      out.add(next);
    }
  }

  /// Ends it. Ends by itself with the container's last group.
  @Override
  public void close() {
    container.endTracking(this);
  }
}
