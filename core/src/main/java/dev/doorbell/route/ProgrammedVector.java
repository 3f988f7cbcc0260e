package dev.doorbell.route;

import dev.doorbell.explain.Source;

/// What a function is programmed to write for one vector that is on.
///
/// @param address as the device emits it
/// @param data the datum
/// @param masked whether the vector is masked at the function
/// @param kind `MSI` or `MSI-X`
public record ProgrammedVector(long address, int data, boolean masked, String kind, Source source)
    implements VectorState {}
