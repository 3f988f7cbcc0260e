package dev.doorbell.vfio;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.iommu.DoorbellFrame;
import dev.doorbell.irq.Interrupts;
import java.util.List;

/// What Doorbell's own stack drives: a machine's functions with their groups and MSI domains, its memory and its interrupts.
///
/// @param name for messages
/// @param doorbells of every MSI controller, whoever is behind it
/// @param pciWindows PCI addresses of all host bridges' windows: a peer may answer there before the IOMMU does
public record OwnHost(
    String name,
    List<HostFunction> functions,
    PhysicalMemory memory,
    Frames frames,
    Interrupts interrupts,
    List<DoorbellFrame> doorbells,
    List<AddressRange> pciWindows) {
  public OwnHost {
    functions = List.copyOf(functions);
    doorbells = List.copyOf(doorbells);
    pciWindows = List.copyOf(pciWindows);
  }
}
