/// Freescale's peripheral access management unit: an entry for each LIODN, with one window of IOVAs or with sub-windows of equal size, and a table of what operations become.
///
/// **Source**: bits typed from Linux 6.12 `drivers/iommu/fsl_pamu.h`, compared with U-Boot 2024.01 `arch/powerpc/include/asm/fsl_pamu.h` and with Freescale's libos (2ff7649,
/// 2015) `include/libos/pamu.h`. The QorIQ manuals (PAMU chapter) were not at hand.
@NullMarked
package dev.doorbell.hw.pamu;

import org.jspecify.annotations.NullMarked;
