@NullMarked
package dev.doorbell.hw.aplic;

import org.jspecify.annotations.NullMarked;
