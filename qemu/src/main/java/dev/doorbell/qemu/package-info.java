/// QEMU as hardware that was written elsewhere: its process, its control protocols, and a machine for seam B.
@NullMarked
package dev.doorbell.qemu;

import org.jspecify.annotations.NullMarked;
