@NullMarked
package dev.doorbell.hw.xics;

import org.jspecify.annotations.NullMarked;
