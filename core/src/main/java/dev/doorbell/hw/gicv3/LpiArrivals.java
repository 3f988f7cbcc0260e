package dev.doorbell.hw.gicv3;

import dev.doorbell.bus.AccessGate;
import java.util.concurrent.atomic.LongAdder;

/// What all Redistributors of a GIC share about LPIs.
///
/// @param gate passed by whoever changes a pending table; a Redistributor drains it before it gives its tables up
/// @param lost LPIs that arrived where there is no place for them
record LpiArrivals(AccessGate gate, LongAdder lost) {}
