/// Physical memory, register windows and the path of a device's memory write.
@NullMarked
package dev.doorbell.bus;

import org.jspecify.annotations.NullMarked;
