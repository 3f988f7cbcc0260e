package dev.doorbell.irq;

import dev.doorbell.address.Pa;
import java.util.OptionalInt;

/// A vector in use, as it is at one moment.
///
/// @param index its number at the function
/// @param message what the function is programmed with
/// @param doorbell where the message arrives after translation
/// @param controller id of the MSI controller there
/// @param intid the interrupt that it raises: an LPI, an SPI, a CPU's vector on x86
/// @param entry the interrupt_index of the table entry that the message leads to, where interrupts are remapped (x86)
/// @param number what the controller tells of it by when it has arrived
/// @param cpu the CPU that takes it
/// @param masked whether its owner holds it back
public record LiveVector(
    int index,
    MsiMessage message,
    Pa doorbell,
    String controller,
    int intid,
    OptionalInt entry,
    int number,
    int cpu,
    boolean masked) {}
