package dev.doorbell.vfio;

import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.iommu.DoorbellFrame;
import dev.doorbell.irq.Interrupts;
import java.util.List;

/// What Doorbell's own stack drives: a machine's functions with their groups and MSI domains, its memory and its interrupts.
///
/// @param name for messages
/// @param doorbells of every MSI controller, whoever is behind it
public record OwnHost(
    String name,
    List<HostFunction> functions,
    PhysicalMemory memory,
    Frames frames,
    Interrupts interrupts,
    List<DoorbellFrame> doorbells) {
  public OwnHost {
    functions = List.copyOf(functions);
    doorbells = List.copyOf(doorbells);
  }
}
