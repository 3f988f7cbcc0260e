package dev.doorbell.linux;

import dev.doorbell.address.AddressRange;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.TreeSet;

/// The mappings of a container or an IOAS, as the kernel keeps them: by its rules, answered by errno.
final class FakeSpace {
  static final List<AddressRange> RANGES =
      List.of(new AddressRange(0, 0x7ff_ffffL), new AddressRange(0x810_0000L, 0xffff_ffff_ffffL));
  static final long PAGE = 0x1000;

  private record Mapping(AddressRange iovas, long address, boolean read, boolean write) {}

  private final TreeMap<Long, Mapping> mappings = new TreeMap<>();
  private final TreeSet<Long> written = new TreeSet<>();

  /// {@return 0, or an errno negated}
  int map(AddressRange iovas, long address, boolean read, boolean write) {
    boolean whole = iovas.start() % PAGE == 0 && iovas.bytes() % PAGE == 0 && address % PAGE == 0;
    if (!whole || !read && !write || RANGES.stream().noneMatch(r -> r.contains(iovas))) {
      return -Errno.EINVAL.number();
    }
    if (mappings.values().stream().anyMatch(m -> m.iovas.overlaps(iovas))) {
      return -Errno.EEXIST.number();
    }
    mappings.put(iovas.start(), new Mapping(iovas, address, read, write));
    return 0;
  }

  /// {@return bytes that were mapped; empty when a mapping would be cut}
  OptionalLong unmap(AddressRange iovas) {
    List<Mapping> met = mappings.values().stream().filter(m -> m.iovas.overlaps(iovas)).toList();
    if (!met.stream().allMatch(m -> iovas.contains(m.iovas))) {
      return OptionalLong.empty();
    }
    met.forEach(m -> mappings.remove(m.iovas.start()));
    return OptionalLong.of(met.stream().mapToLong(m -> m.iovas.bytes()).sum());
  }

  int size() {
    return mappings.size();
  }

  void clear() {
    mappings.clear();
    written.clear();
  }

  /// One entry of a table of POWER's: what was there before is replaced.
  void replace(AddressRange page, long address, boolean read, boolean write) {
    mappings.put(page.start(), new Mapping(page, address, read, write));
  }

  /// {@return whether a device reaches memory of this process}
  boolean reaches(AddressRange memory) {
    return mappings.values().stream()
        .anyMatch(m -> memory.overlaps(AddressRange.ofSize(m.address, m.iovas.bytes())));
  }

  /// {@return whether a mapping lies in some IOVAs and none is cut by their ends, as a request for what was written must be}
  boolean isWhole(AddressRange iovas) {
    List<Mapping> met = mappings.values().stream().filter(m -> m.iovas.overlaps(iovas)).toList();
    return !met.isEmpty() && met.stream().allMatch(m -> iovas.contains(m.iovas));
  }

  /// {@return pages that were written since this was asked last}
  List<Long> takeWritten(AddressRange iovas) {
    List<Long> out = written.stream().filter(iovas::contains).toList();
    written.removeAll(out);
    return out;
  }

  /// {@return process memory that a device reaches at an IOVA}
  ///
  /// @param remember whether a write there is remembered
  @SuppressWarnings("restricted")
  Optional<MemorySegment> at(long iova, int bytes, boolean write, boolean remember) {
    Map.Entry<Long, Mapping> e = mappings.floorEntry(iova);
    if (e == null
        || !e.getValue().iovas.contains(AddressRange.ofSize(iova, bytes))
        || !(write ? e.getValue().write : e.getValue().read)) {
      return Optional.empty();
    }
    if (write && remember) {
      written.add(iova & -PAGE);
    }
    long address = e.getValue().address + (iova - e.getKey());
    return Optional.of(MemorySegment.ofAddress(address).reinterpret(bytes));
  }

  static long load(MemorySegment m) {
    long value = 0;
    for (long i = m.byteSize() - 1; i >= 0; i--) {
      value = value << Byte.SIZE | m.get(ValueLayout.JAVA_BYTE, i) & 0xff;
    }
    return value;
  }

  /// Sets a page's bit in a bitmap that begins at some IOVA.
  @SuppressWarnings("restricted")
  static void mark(long bitmap, long index) {
    MemorySegment m = MemorySegment.ofAddress(bitmap).reinterpret(index / Byte.SIZE + 1);
    byte before = m.get(ValueLayout.JAVA_BYTE, index / Byte.SIZE);
    m.set(ValueLayout.JAVA_BYTE, index / Byte.SIZE, (byte) (before | 1 << index % Byte.SIZE));
  }

  static void store(MemorySegment m, long value) {
    for (long i = 0; i < m.byteSize(); i++) {
      m.set(ValueLayout.JAVA_BYTE, i, (byte) (value >>> i * Byte.SIZE));
    }
  }
}
