/// Tests of the room that knows the running kernel.
@NullMarked
package dev.doorbell.linux;

import org.jspecify.annotations.NullMarked;
