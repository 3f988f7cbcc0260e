/// IBM PCI Express host bridges PHB3, PHB4 and PHB5 (IODA2, IODA3): how a message names an interrupt, and which, and all that DMA and messages need: PEs
/// of requester ids, their windows with TCE tables, owners and states of interrupts, and what stops a PE.
///
/// **Source**: skiboot 6.x `hw/phb3.c` and `hw/phb4.c` (`phb4_get_msi_64`, `phb4_get_msi_32`); `include/phb3-regs.h`, `include/phb4-regs.h`; compared with QEMU 10.0 `hw/pci-host/pnv_phb3_msi.c`, `pnv_phb4.c`,
/// `include/hw/pci-host/pnv_phb3_regs.h` and `pnv_phb4_regs.h`. The IODA manuals were not at hand.
@NullMarked
package dev.doorbell.hw.phb;

import org.jspecify.annotations.NullMarked;
