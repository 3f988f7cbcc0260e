/// Message interrupts of Freescale's MPIC: banks of MSIRs, and the index register that a function writes to.
///
/// **Source**: typed from Linux 6.12 `arch/powerpc/sysdev/fsl_msi.c` and the binding `powerpc/fsl/msi-pic.txt`; compared with QEMU 10.0 `hw/intc/openpic.c`.
/// The QorIQ manuals were not at hand.
@NullMarked
package dev.doorbell.hw.mpic;

import org.jspecify.annotations.NullMarked;
