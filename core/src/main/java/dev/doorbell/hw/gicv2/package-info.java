/// Arm Generic Interrupt Controller, architecture version 2: distributor and CPU interfaces.
@NullMarked
package dev.doorbell.hw.gicv2;

import org.jspecify.annotations.NullMarked;
