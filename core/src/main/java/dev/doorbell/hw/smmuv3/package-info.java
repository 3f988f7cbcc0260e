/// Arm SMMUv3 (IHI 0070): layouts of its registers and tables, the driver, the hardware model and the table walker.
@NullMarked
package dev.doorbell.hw.smmuv3;

import org.jspecify.annotations.NullMarked;
