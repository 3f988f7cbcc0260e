package dev.doorbell.plan;

/// Two objects that cannot both have their way.
///
/// @param kind what class of collision, in the words of a refusal (`RamMeetsWindow` …)
/// @param blocks whether the plan cannot work; otherwise it is a caution
/// @param message both objects and why they collide; lower case, no period
/// @param advice what to change
public record Conflict(
    String kind, Thing a, Thing b, boolean blocks, String message, String advice) {}
