/// What the SDM says of destinations, checked on the walker.
@NullMarked
package dev.doorbell.hw.lapic;

import org.jspecify.annotations.NullMarked;
