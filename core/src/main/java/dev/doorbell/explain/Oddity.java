package dev.doorbell.explain;

/// Something in the input that is not as it should be, and that reading went on after.
///
/// @param message what is odd, with the values; lower case, no period
/// @param source file and offset
public record Oddity(String message, Source source) {}
