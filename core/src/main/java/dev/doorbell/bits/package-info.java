/// The declaration kit: register and table-entry layouts declared once, read by drivers, models and walkers.
@NullMarked
package dev.doorbell.bits;

import org.jspecify.annotations.NullMarked;
