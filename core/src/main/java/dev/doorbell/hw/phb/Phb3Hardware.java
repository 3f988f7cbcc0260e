package dev.doorbell.hw.phb;

import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.RegisterBus;

/// A PHB3 as its drivers find it.
///
/// @param id the name of its DMA side, such as `phb3@pci0000:00`
/// @param registers 4 KiB
/// @param messages its interrupts
public record Phb3Hardware(
    String id,
    RegisterBus registers,
    PhysicalMemory memory,
    Frames frames,
    Phb4Hardware.Messages messages) {}
