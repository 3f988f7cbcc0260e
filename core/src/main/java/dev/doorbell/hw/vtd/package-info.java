/// Intel VT-d: DMA remapping and interrupt remapping.
@NullMarked
package dev.doorbell.hw.vtd;

import org.jspecify.annotations.NullMarked;
