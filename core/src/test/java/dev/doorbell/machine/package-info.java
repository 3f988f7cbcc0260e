/// Tests of the embedded machine's parts.
@NullMarked
package dev.doorbell.machine;

import org.jspecify.annotations.NullMarked;
