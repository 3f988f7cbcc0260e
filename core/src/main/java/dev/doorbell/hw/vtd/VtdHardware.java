package dev.doorbell.hw.vtd;

import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.RegisterBus;

/// A remapping unit, as its driver reaches it.
///
/// @param id of the machine description, such as `vt-d@0xfed90000`
public record VtdHardware(String id, RegisterBus registers, PhysicalMemory memory, Frames frames) {}
