/// Arm SMMUv1 and SMMUv2 (IHI 0062 D.c), MMU-400, MMU-401 and MMU-500 among them: layouts of its registers, the driver, the hardware
/// model and the walker. Its translation tables are those of `vmsa`.
@NullMarked
package dev.doorbell.hw.smmuv2;

import org.jspecify.annotations.NullMarked;
