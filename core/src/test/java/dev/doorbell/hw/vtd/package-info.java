/// What the VT-d manual says, checked on the walker; and its layouts against second sources.
@NullMarked
package dev.doorbell.hw.vtd;

import org.jspecify.annotations.NullMarked;
