package dev.doorbell.linux;

import java.util.OptionalLong;

/// One interrupt of the kernel's, as its files show it at one moment.
///
/// @param irq the kernel's own number for it
/// @param chip who delivers it, such as `ITS-PCI-MSIX-0000:00:06.0`
/// @param hwirq the number that this chip knows it by
/// @param actions who takes it, such as `vfio-msix[2](0000:00:06.0)`; empty when nobody does
/// @param count how often it was taken since boot, on all processors
/// @param cpus where it goes, as the kernel prints a list; empty when not seen
public record KernelInterrupt(
    int irq, String chip, OptionalLong hwirq, String actions, long count, String cpus) {}
