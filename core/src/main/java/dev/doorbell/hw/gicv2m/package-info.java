/// Arm GICv2m: MSI frames that turn a write into an SPI. It does not look at who writes.
@NullMarked
package dev.doorbell.hw.gicv2m;

import org.jspecify.annotations.NullMarked;
