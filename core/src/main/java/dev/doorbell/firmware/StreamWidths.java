package dev.doorbell.firmware;

import dev.doorbell.description.HostBridge;
import dev.doorbell.description.HostBridge.StreamMapping;
import dev.doorbell.description.IommuDescription;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/// Identities that are wider than an IOMMU's: no function sends such a one, and what names it is passed over.
///
/// **Source**: RISC-V IOMMU Architecture 1.0, 2.1: a device_id has up to 24 bits. Other families' are checked where they are read, or are as
/// wide as a register tells that no capture has (SMMUv3).
final class StreamWidths {
  private static final long LAST_RISCV = 0xff_ffff;
  private static final long RIDS = 0x1_0000;

  private final Map<String, IommuDescription> iommus;
  private final Findings findings;

  StreamWidths(List<IommuDescription> iommus, Findings findings) {
    this.iommus =
        iommus.stream()
            .collect(Collectors.toMap(IommuDescription::id, Function.identity(), (a, _) -> a));
    this.findings = findings;
  }

  /// {@return a host bridge with those runs of ids that its IOMMUs can tell}
  HostBridge within(HostBridge bridge) {
    List<StreamMapping> kept = new ArrayList<>();
    bridge.streams().forEach(m -> within(bridge, m).ifPresent(kept::add));
    return kept.equals(bridge.streams()) ? bridge : bridge.withStreams(kept);
  }

  private Optional<StreamMapping> within(HostBridge bridge, StreamMapping m) {
    if (!(iommus.get(m.iommu()) instanceof IommuDescription.RiscvIommu)) {
      return Optional.of(m);
    }
    long first = Integer.toUnsignedLong(m.firstStreamId());
    long sent = Math.min(m.count(), RIDS - m.firstRid());
    if (first + sent - 1 <= LAST_RISCV) {
      return Optional.of(m);
    }
    findings.odd(
        "an id mapping of %s leads to device_ids 0x%x to 0x%x of %s, which have 24 bits"
            .formatted(bridge.id(), first, first + sent - 1, m.iommu()),
        m.source());
    long fits = LAST_RISCV - first + 1;
    return fits > 0 ? Optional.of(m.ofCount(fits)) : Optional.empty();
  }
}
