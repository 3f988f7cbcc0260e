/// IBM host bridges: messages.
@NullMarked
package dev.doorbell.hw.phb;

import org.jspecify.annotations.NullMarked;
