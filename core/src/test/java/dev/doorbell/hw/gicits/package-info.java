/// Tests of the ITS, alone and with the GIC below it.
@NullMarked
package dev.doorbell.hw.gicits;

import org.jspecify.annotations.NullMarked;
