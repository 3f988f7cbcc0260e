/// GICv2m: layouts, frame, driver on both GICs, walker on a captured machine.
@NullMarked
package dev.doorbell.hw.gicv2m;

import org.jspecify.annotations.NullMarked;
