@NullMarked
package dev.doorbell.capture;

import org.jspecify.annotations.NullMarked;
