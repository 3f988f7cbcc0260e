/// A program without an operating system that takes interrupts in a guest, put together here instruction by instruction.
@NullMarked
package dev.doorbell.vmm.payload;

import org.jspecify.annotations.NullMarked;
