package dev.doorbell.simple;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Iommu;
import dev.doorbell.iommu.IommuCapabilities;
import dev.doorbell.iommu.Protection;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// An IOMMU whose tables are maps. Device accesses go through a cache that only an unmap or a change of the stream empties, as
/// in hardware.
public final class SimpleIommu implements Iommu {
  /// One page of a table.
  public record Page(long pa, Protection protection) {}

  private final String id;
  private final IommuCapabilities capabilities;
  private final HardwareWrites hw;
  private final boolean hitless;
  private final List<Space> spaces = new ArrayList<>();
  private final TreeMap<Integer, Object> streams = new TreeMap<>();

  private SimpleIommu(
      String id, IommuCapabilities capabilities, HardwareWrites hw, boolean hitless) {
    this.id = id;
    this.capabilities = capabilities;
    this.hw = hw;
    this.hitless = hitless;
  }

  public static SimpleIommu of(String id, HardwareWrites hw) {
    return of(id, hw, true, true);
  }

  public static SimpleIommu of(
      String id, HardwareWrites hw, boolean hitless, boolean translatesMsi) {
    return new SimpleIommu(
        id,
        new IommuCapabilities(
            "simple", List.of(Granule.K4, Granule.K64), 48, 48, 16, translatesMsi, true),
        hw,
        hitless);
  }

  public static SimpleIommu ofKind(String id, HardwareWrites hw, String kind, int bits) {
    return new SimpleIommu(
        id, new IommuCapabilities(kind, List.of(Granule.K4), bits, bits, 16, true, true), hw, true);
  }

  @Override
  public String id() {
    return id;
  }

  @Override
  public IommuCapabilities capabilities() {
    return capabilities;
  }

  @Override
  public synchronized AddressSpace createAddressSpace(Granule granule) {
    Space s = new Space(granule);
    spaces.add(s);
    return s;
  }

  @Override
  public synchronized void attach(int streamId, AddressSpace space) {
    hw.write(id + " stream " + streamId + " attach");
    streams.put(streamId, space);
  }

  @Override
  public synchronized void block(int streamId) {
    hw.write(id + " stream " + streamId + " block");
    streams.remove(streamId);
  }

  @Override
  public synchronized void bypass(int streamId) {
    hw.write(id + " stream " + streamId + " bypass");
    streams.put(streamId, "bypass");
  }

  @Override
  public boolean attachesHitlessly(int streamId, AddressSpace space) {
    return hitless;
  }

  /// {@return where a device's write goes; empty when it faults}
  public Optional<Long> write(int streamId, long address) {
    Object where;
    synchronized (this) {
      where = streams.get(streamId);
    }
    return switch (where) {
      case null -> Optional.empty();
      case Space s -> s.access(address, true);
      default -> Optional.of(address);
    };
  }

  /// {@return where a device reads from; empty when it faults}
  public Optional<Long> read(int streamId, long address) {
    Object where;
    synchronized (this) {
      where = streams.get(streamId);
    }
    return switch (where) {
      case null -> Optional.empty();
      case Space s -> s.access(address, false);
      default -> Optional.of(address);
    };
  }

  /// {@return streams and tables, to be compared with what they are later}
  public synchronized Map<String, Object> state() {
    Map<String, Object> out = new TreeMap<>();
    streams.forEach((k, v) ->
        out.put("stream " + k, v instanceof Space s ? "space " + System.identityHashCode(s) : v));
    for (Space s : spaces) {
      out.put("space " + System.identityHashCode(s), s.pages());
    }
    return out;
  }

  /// {@return spaces not closed}
  public synchronized int openSpaces() {
    return spaces.size();
  }

  private final class Space implements AddressSpace {
    private final Granule granule;
    private final TreeMap<Long, Page> pages = new TreeMap<>(Long::compareUnsigned);
    private final Map<Long, Page> cache = new HashMap<>();

    Space(Granule granule) {
      this.granule = granule;
    }

    synchronized Map<Long, Page> pages() {
      return new TreeMap<>(pages);
    }

    synchronized Optional<Long> access(long address, boolean write) {
      long page = granule.alignDown(address);
      Page p = cache.containsKey(page) ? cache.get(page) : pages.get(page);
      if (p == null || !(write ? p.protection().write() : p.protection().read())) {
        return Optional.empty();
      }
      cache.put(page, p);
      return Optional.of(p.pa() + granule.offset(address));
    }

    @Override
    public Granule granule() {
      return granule;
    }

    @Override
    public long pageSizes() {
      return granule.bytes();
    }

    @Override
    public AddressRange aperture() {
      return AddressRange.ofSize(0, Granule.K4.bytes() << (capabilities.inputBits() - 12));
    }

    @Override
    public synchronized void map(Iova iova, Pa pa, long bytes, Protection protection) {
      AddressRange range = AddressRange.ofSize(iova.value(), bytes);
      if (!aperture().contains(range)
          || !granule.isAligned(iova.value())
          || !granule.isAligned(pa.value())
          || !granule.isAligned(bytes)
          || !pages.subMap(range.start(), true, range.last(), true).isEmpty()) {
        throw new IllegalArgumentException("cannot map " + range);
      }
      hw.write(id + " map " + range + " to " + pa);
      for (long at = 0; at != bytes; at += granule.bytes()) {
        pages.put(iova.value() + at, new Page(pa.value() + at, protection));
      }
    }

    @Override
    public synchronized long unmap(Iova iova, long bytes) {
      AddressRange range = AddressRange.ofSize(iova.value(), bytes);
      hw.write(id + " unmap " + range);
      Map<Long, Page> gone = pages.subMap(range.start(), true, range.last(), true);
      long n = gone.size() * granule.bytes();
      cache.keySet().removeIf(range::contains);
      gone.clear();
      return n;
    }

    @Override
    public synchronized Optional<Pa> translate(Iova iova) {
      return Optional.ofNullable(pages.get(granule.alignDown(iova.value())))
          .map(p -> new Pa(p.pa() + granule.offset(iova.value())));
    }

    @Override
    public void close() {
      synchronized (SimpleIommu.this) {
        if (streams.containsValue(this)) {
          throw new IllegalStateException("a stream is attached");
        }
        spaces.remove(this);
      }
    }
  }
}
