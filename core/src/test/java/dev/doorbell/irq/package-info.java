@NullMarked
package dev.doorbell.irq;

import org.jspecify.annotations.NullMarked;
