/// The user's API: containers, groups, devices, regions and irq sets, as VFIO has them.
///
/// A program written to {@link dev.doorbell.vfio.Vfio} runs on Doorbell's own stack, made by {@link dev.doorbell.vfio.OwnStack}, and on
/// any other implementation of these interfaces. Nothing here tells where a host's message goes or what it carries; what a guest
/// writes into its own registers are bytes that nobody here reads.
///
/// **Lock order**: device, container, then the locks of the irq and iommu rooms.
@NullMarked
package dev.doorbell.vfio;

import org.jspecify.annotations.NullMarked;
