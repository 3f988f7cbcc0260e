/// Arm GICv3 Interrupt Translation Service: (DeviceID, EventID) to LPI and redistributor.
/// Source: IHI 0069 (GIC architecture 3.0 to 4.1), revision H.
@NullMarked
package dev.doorbell.hw.gicits;

import org.jspecify.annotations.NullMarked;
