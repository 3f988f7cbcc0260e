package dev.doorbell.description;

import dev.doorbell.explain.Source;

/// A structure of a firmware table, as the table spells it. Immutable.
///
/// @param name the manual's name of it: `ATSR`
/// @param tells what it states, in one line
/// @param source where it begins
public record FirmwareStructure(String name, String tells, Source source) {}
