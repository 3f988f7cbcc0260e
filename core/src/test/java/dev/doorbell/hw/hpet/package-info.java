@NullMarked
package dev.doorbell.hw.hpet;

import org.jspecify.annotations.NullMarked;
