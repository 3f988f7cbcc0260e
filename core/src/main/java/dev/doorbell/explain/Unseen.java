package dev.doorbell.explain;

/// A fact that could not be seen, which is not the same as a thing that is not there.
///
/// @param what the fact
/// @param why which file is missing or unreadable
/// @param consequence what depends on it and stays unanswered
public record Unseen(String what, String why, String consequence) {}
