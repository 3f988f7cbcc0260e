package dev.doorbell.hw.mpic;

import dev.doorbell.address.Pa;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.explain.Source;

/// One bank as its driver finds it.
///
/// @param id the machine description's name, such as `mpic-msi@0xffe041600`
/// @param registers the bank's 512 bytes
/// @param doorbell MSIIR or MSIIR1, in the bank or in its alias page
/// @param wide whether the bank has MSIIR1 and sixteen MSIRs
public record MpicMsiBank(
    String id, RegisterBus registers, Pa doorbell, boolean wide, Source source) {}
