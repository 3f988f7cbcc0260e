/// The guest of a hypervisor.
@NullMarked
package dev.doorbell.hw.papr;

import org.jspecify.annotations.NullMarked;
