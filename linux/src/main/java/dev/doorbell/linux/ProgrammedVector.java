package dev.doorbell.linux;

import dev.doorbell.explain.Source;
import dev.doorbell.vfio.IrqType;
import java.util.Optional;

/// One vector as the function itself has it: what the kernel programmed, not the copy that a user is shown.
///
/// @param address of the message
/// @param enabled whether the function's MSI or MSI-X is on
/// @param masked whether the function holds the vector back, by its own mask or the function's; empty where it has no such bit
/// @param pending whether a message waits behind the mask; empty where it has no such bit
/// @param source where it was read
public record ProgrammedVector(
    IrqType type,
    int number,
    long address,
    int data,
    boolean enabled,
    Optional<Boolean> masked,
    Optional<Boolean> pending,
    Source source) {}
