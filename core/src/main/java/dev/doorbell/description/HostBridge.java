package dev.doorbell.description;

import dev.doorbell.address.AddressRange;
import dev.doorbell.explain.Source;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/// A PCI root complex: which buses it owns, and how requester ids become StreamIDs and DeviceIDs.
///
/// @param id `pci0000:00`
/// @param segment PCI segment group
/// @param firstBus first bus number
/// @param lastBus last bus number, included
/// @param ecam configuration window of those buses (ECAM), whose start is the first bus's
/// @param streams requester id → StreamID at an IOMMU; empty when no IOMMU is in its path
/// @param msis requester id → DeviceID at MSI controllers
/// @param windows CPU addresses that reach BARs
/// @param dmaRanges physical addresses that devices can reach; empty when all
/// @param dmaBits devices' address width limit, when firmware tells
public record HostBridge(
    String id,
    int segment,
    int firstBus,
    int lastBus,
    Optional<AddressRange> ecam,
    List<StreamMapping> streams,
    List<MsiMapping> msis,
    List<Window> windows,
    List<AddressRange> dmaRanges,
    OptionalInt dmaBits,
    Source source) {

  /// A run of requester ids and their StreamIDs.
  ///
  /// @param ridMask applied to a requester id first; 0xffff for ACPI
  /// @param firstRid first requester id of the run
  /// @param count how many
  /// @param iommu id of the IOMMU
  /// @param firstStreamId the first one's StreamID
  public record StreamMapping(
      int ridMask, int firstRid, long count, String iommu, int firstStreamId, Source source) {
    /// {@return the StreamID of a requester id, if the run has it}
    public OptionalInt streamOf(int rid) {
      long at = (rid & ridMask) - (long) firstRid;
      return at < 0 || at >= count ? OptionalInt.empty() : OptionalInt.of(firstStreamId + (int) at);
    }

    /// {@return the same run, of so many ids}
    public StreamMapping ofCount(long ids) {
      return new StreamMapping(ridMask, firstRid, ids, iommu, firstStreamId, source);
    }
  }

  /// A run of requester ids and their DeviceIDs.
  ///
  /// @param controllers ids of the MSI controllers (an ITS group may have several); a name that no controller of the machine has is one that
  /// firmware refers to and does not describe
  public record MsiMapping(
      int ridMask,
      int firstRid,
      long count,
      List<String> controllers,
      int firstDeviceId,
      Source source) {
    public MsiMapping {
      controllers = List.copyOf(controllers);
    }

    /// {@return the DeviceID of a requester id, if the run has it}
    public OptionalInt deviceIdOf(int rid) {
      long at = (rid & ridMask) - (long) firstRid;
      return at < 0 || at >= count ? OptionalInt.empty() : OptionalInt.of(firstDeviceId + (int) at);
    }
  }

  /// A window through which CPUs reach BARs.
  ///
  /// @param cpu physical addresses
  /// @param pciStart the PCI address of the first one
  /// @param io whether it is I/O space
  public record Window(
      AddressRange cpu, long pciStart, boolean io, boolean prefetchable, Source source) {}

  public HostBridge {
    streams = List.copyOf(streams);
    msis = List.copyOf(msis);
    windows = List.copyOf(windows);
    dmaRanges = List.copyOf(dmaRanges);
  }

  /// {@return the mapping that has a requester id}
  public Optional<MsiMapping> msiMapping(int rid) {
    return msis.stream().filter(m -> m.deviceIdOf(rid).isPresent()).findFirst();
  }

  /// {@return the addresses between and around its dmaRanges, in order; empty when devices can reach all}
  public List<AddressRange> unreachable() {
    List<AddressRange> out = new ArrayList<>();
    if (dmaRanges.isEmpty()) {
      return out;
    }
    long at = 0;
    for (AddressRange r : dmaRanges.stream().sorted().toList()) {
      if (Long.compareUnsigned(r.start(), at) > 0) {
        out.add(new AddressRange(at, r.start() - 1));
      }
      if (r.last() == -1L) {
        return out;
      }
      if (Long.compareUnsigned(r.last() + 1, at) > 0) {
        at = r.last() + 1;
      }
    }
    out.add(new AddressRange(at, -1L));
    return out;
  }

  /// {@return the same bridge with other StreamIDs}
  public HostBridge withStreams(List<StreamMapping> other) {
    return new HostBridge(
        id, segment, firstBus, lastBus, ecam, other, msis, windows, dmaRanges, dmaBits, source);
  }

  /// {@return whether this bridge owns a bus}
  public boolean owns(int ofSegment, int bus) {
    return ofSegment == segment && bus >= firstBus && bus <= lastBus;
  }
}
