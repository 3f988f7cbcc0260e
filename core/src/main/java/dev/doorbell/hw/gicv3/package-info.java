/// Arm GICv3: distributor, redistributors with LPI configuration and pending tables, and the CPU interface's behaviour.
/// Source: IHI 0069 (GIC architecture 3.0 to 4.1), revision H.
@NullMarked
package dev.doorbell.hw.gicv3;

import org.jspecify.annotations.NullMarked;
