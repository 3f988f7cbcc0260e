package dev.doorbell.explain;

/// One hop of an interrupt's path.
///
/// @param at which piece of hardware or table entry
/// @param in what came in
/// @param out what came out; of the hop that breaks, what was found instead
/// @param why the reason, in words and fields of the entry
/// @param source where the fact was read
/// @param basis how it is known
public record Hop(String at, String in, String out, String why, Source source, Basis basis) {}
