/// Seam A over QEMU's hardware.
@NullMarked
package dev.doorbell.vfio;

import org.jspecify.annotations.NullMarked;
