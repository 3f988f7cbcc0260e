package dev.doorbell.route;

import dev.doorbell.explain.Source;

/// What a function is programmed to write for one vector.
///
/// @param enabled whether the capability's enable bit is on and the function was given the vector
/// @param address as the device emits it
/// @param data the datum
/// @param masked whether the vector is masked at the function
/// @param kind `MSI` or `MSI-X`
public record ProgrammedVector(
    boolean enabled, long address, int data, boolean masked, String kind, Source source) {}
