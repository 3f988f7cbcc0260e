package dev.doorbell.firmware;

import dev.doorbell.description.FunctionDescription;
import dev.doorbell.description.HostBridge;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.TreeSet;

/// Root buses of a machine whose firmware was not captured: those that sysfs shows, else one a segment.
final class BareBridges {
  private BareBridges() {}

  static void compose(Draft draft) {
    Map<Integer, TreeSet<Integer>> roots = new TreeMap<>(draft.pci.roots());
    Map<Integer, FunctionDescription> first = new TreeMap<>();
    for (FunctionDescription f : draft.pci.functions()) {
      first.putIfAbsent(f.sbdf().segment(), f);
      roots.computeIfAbsent(f.sbdf().segment(), s -> new TreeSet<>(List.of(0)));
    }
    roots.forEach((segment, buses) -> {
      for (int bus : buses) {
        Integer next = buses.higher(bus);
        FunctionDescription f = first.get(segment);
        if (f == null) {
          continue;
        }
        draft.hostBridges.add(
            new HostBridge(
                draft.unique(String.format(Locale.ROOT, "pci%04x:%02x", segment, bus)),
                segment,
                bus,
                next == null ? 255 : next - 1,
                Optional.empty(),
                List.of(),
                List.of(),
                draft.ioMemory.windows(segment, bus).stream()
                    .map(l ->
                        new HostBridge.Window(
                            l.range(), l.range().start(), false, false, l.source()))
                    .toList(),
                List.of(),
                OptionalInt.empty(),
                f.source()));
      }
    });
  }
}
