package dev.doorbell.hw.gicits;

import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.RegisterBus;

/// What the driver of an ITS is given.
///
/// @param id its name, such as `its@0x8080000`
/// @param registers both frames
/// @param base physical address of the control frame
/// @param memory the machine's memory
/// @param frames memory for tables
public record ItsHardware(
    String id, RegisterBus registers, long base, PhysicalMemory memory, Frames frames) {}
