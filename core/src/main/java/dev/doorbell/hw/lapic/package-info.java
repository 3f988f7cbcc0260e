/// Local APICs of x86 machines.
@NullMarked
package dev.doorbell.hw.lapic;

import org.jspecify.annotations.NullMarked;
