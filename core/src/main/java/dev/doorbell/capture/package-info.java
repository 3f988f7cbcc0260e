/// Writing down a Linux host as a sysroot that every command reads: the files that tell of PCI functions, IOMMUs, interrupts, firmware and the kernel, and nothing else.
@NullMarked
package dev.doorbell.capture;

import org.jspecify.annotations.NullMarked;
