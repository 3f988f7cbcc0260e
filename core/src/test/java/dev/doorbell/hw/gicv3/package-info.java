/// Tests of the GICv3.
@NullMarked
package dev.doorbell.hw.gicv3;

import org.jspecify.annotations.NullMarked;
