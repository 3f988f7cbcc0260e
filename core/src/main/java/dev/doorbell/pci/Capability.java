package dev.doorbell.pci;

/// One capability of a function.
///
/// @param id its kind; see {@link CapabilityLayout}
/// @param extended whether it lies in extended space, where ids are others
/// @param version of an extended one; else 0
/// @param offset where its header lies
public record Capability(int id, boolean extended, int version, int offset) {}
