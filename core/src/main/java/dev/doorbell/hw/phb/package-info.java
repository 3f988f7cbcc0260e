/// IBM PCI Express host bridges PHB3, PHB4 and PHB5 (IODA2, IODA3): how a message names an interrupt, and which.
///
/// **Source**: skiboot 6.x `hw/phb3.c` and `hw/phb4.c` (`phb4_get_msi_64`, `phb4_get_msi_32`); compared with QEMU 10.0 `hw/pci-host/pnv_phb4.c`.
@NullMarked
package dev.doorbell.hw.phb;

import org.jspecify.annotations.NullMarked;
