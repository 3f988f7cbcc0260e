package dev.doorbell.iommu;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Pa;
import dev.doorbell.explain.Source;

/// A doorbell to be mapped, as the irq room describes it.
///
/// @param name who rings there, such as `its@0x8080000`
/// @param doorbell the physical address that messages are written to
/// @param frame physical addresses around it that a device may safely be let write to
/// @param source where that was read
public record DoorbellFrame(String name, Pa doorbell, AddressRange frame, Source source) {
  public DoorbellFrame {
    if (!frame.contains(doorbell.value())) {
      throw new IllegalArgumentException(
          "doorbell %s of %s lies outside its frame %s".formatted(doorbell, name, frame));
    }
  }
}
