/// PAPR: the DMA windows, message interrupts and interrupt presentation that a hypervisor gives a guest of a POWER machine.
///
/// The hypervisor owns all hardware: TCEs are written, messages composed and functions programmed by calls. The driver makes them; the model answers.
///
/// **Source**: LoPAPR 1.1 (OpenPOWER): 7.3.8 (interrupts), 7.3.10.5 (`ibm,change-msi`), 7.3.11 (EEH), 7.4 (DMA windows), 14.5.4.2 (TCE calls), 14.5.4.3
/// (XICS calls). Compared with Linux 6.12 `arch/powerpc/platforms/pseries` and QEMU 10.0 `hw/ppc/spapr_*.c`.
@NullMarked
package dev.doorbell.hw.papr;

import org.jspecify.annotations.NullMarked;
