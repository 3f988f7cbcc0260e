package dev.doorbell.machine;

import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.Translator;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/// The way of messages of what is no PCI function: to the IOMMU that firmware names for their sender, or to the local APICs.
@FunctionalInterface
interface WiredMessages {
  /// A requester that is no CPU; local APICs look at no other of its properties.
  int NO_CPU = 0;

  /// {@return whether somebody took it}
  boolean send(long address, int data);

  /// {@return the way; empty behind an IOMMU that is not there, or that firmware tells no source-id for}
  static Optional<WiredMessages> of(
      Map<String, Translator> iommus,
      SystemMap bus,
      Optional<String> behind,
      OptionalInt sourceId) {
    if (behind.isEmpty()) {
      return Optional.of((address, data) ->
          bus.write(address, Integer.toUnsignedLong(data), Integer.BYTES, NO_CPU) == BusOutcome.OK);
    }
    Translator iommu = iommus.get(behind.get());
    if (iommu == null || sourceId.isEmpty()) {
      return Optional.empty();
    }
    int requester = sourceId.getAsInt();
    return Optional.of((address, data) -> {
      iommu.begin();
      try {
        return iommu.message(requester, address, Integer.toUnsignedLong(data), Integer.BYTES)
            == BusOutcome.OK;
      } finally {
        iommu.end();
      }
    });
  }
}
