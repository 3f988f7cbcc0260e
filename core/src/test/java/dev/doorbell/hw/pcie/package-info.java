@NullMarked
package dev.doorbell.hw.pcie;

import org.jspecify.annotations.NullMarked;
