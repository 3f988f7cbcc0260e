/// POWER8's interrupt presentation controllers (ICP of XICS). Sources of interrupts name server and priority themselves.
///
/// **Source**: bits typed from skiboot 7.1 `hw/interrupts.c`; compared with QEMU 10.0 `hw/intc/xics.c` and `hw/intc/xics_pnv.c`. The manuals (PAPR, Power
/// Platform interrupt architecture) were not at hand.
@NullMarked
package dev.doorbell.hw.xics;

import org.jspecify.annotations.NullMarked;
