/// MSI domains: prepare, compose, activate, retarget, release; vectors and isolation.
///
/// Three layers, each over the next one: a {@link dev.doorbell.irq.MsiFunction} programs the vectors of a PCI function, a
/// {@link dev.doorbell.irq.MsiDomain} prepares them, an {@link dev.doorbell.irq.MsiController} has them.
///
/// **Lock order**, here and in the rooms below: the IOMMU group's lock (or the function's own where no IOMMU is in its path), then
/// one domain's lock, then a driver's locks. A group's lock is held while its functions' vectors change, so that its domain can
/// neither change nor be freed meanwhile (R28). Composing a message takes no lock.
@NullMarked
package dev.doorbell.irq;

import org.jspecify.annotations.NullMarked;
