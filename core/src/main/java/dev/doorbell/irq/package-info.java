/// MSI domains: prepare, compose, activate, retarget, release; vectors and isolation.
@NullMarked
package dev.doorbell.irq;

import org.jspecify.annotations.NullMarked;
