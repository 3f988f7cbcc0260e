package dev.doorbell.firmware;

import dev.doorbell.description.FirmwareKind;
import dev.doorbell.description.FunctionDescription;
import dev.doorbell.description.HostBridge;
import dev.doorbell.explain.Unseen;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/// Root buses of functions that firmware describes no root complex for: those that sysfs shows, else one a segment.
final class BareBridges {
  private BareBridges() {}

  static void compose(Draft draft) {
    Map<Integer, TreeSet<Integer>> roots = new TreeMap<>(draft.pci.roots());
    Map<Integer, FunctionDescription> orphans = new TreeMap<>();
    for (FunctionDescription f : draft.pci.functions()) {
      int segment = f.sbdf().segment();
      if (draft.hostBridges.stream().noneMatch(b -> b.segment() == segment)) {
        orphans.putIfAbsent(segment, f);
      }
    }
    if (draft.firmware == FirmwareKind.DEVICE_TREE && !orphans.isEmpty()) {
      draft.findings.unseen(
          "host bridges of "
              + orphans.keySet().stream()
                  .map(s -> String.format(Locale.ROOT, "segment %04x", s))
                  .collect(Collectors.joining(", ")),
          "the capture has functions there and the device tree no host bridge: it is of another boot, or not whole",
          "which IOMMU and MSI controller their functions have is not known",
          EnumSet.allOf(Unseen.Hidden.class));
    }
    orphans.forEach((segment, function) -> {
      TreeSet<Integer> buses = roots.getOrDefault(segment, new TreeSet<>(List.of(0)));
      for (int bus : buses) {
        Integer next = buses.higher(bus);
        draft.hostBridges.add(bridge(draft, segment, bus, next == null ? 255 : next - 1, function));
      }
    });
  }

  private static HostBridge bridge(
      Draft draft, int segment, int bus, int last, FunctionDescription function) {
    return new HostBridge(
        draft.unique(String.format(Locale.ROOT, "pci%04x:%02x", segment, bus)),
        segment,
        bus,
        last,
        Optional.empty(),
        List.of(),
        List.of(),
        draft.ioMemory.windows(segment, bus).stream()
            .map(l -> new HostBridge.Window(l.range(), l.range().start(), false, false, l.source()))
            .toList(),
        List.of(),
        OptionalInt.empty(),
        function.source());
  }
}
