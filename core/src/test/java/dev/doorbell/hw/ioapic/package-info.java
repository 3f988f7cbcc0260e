@NullMarked
package dev.doorbell.hw.ioapic;

import org.jspecify.annotations.NullMarked;
