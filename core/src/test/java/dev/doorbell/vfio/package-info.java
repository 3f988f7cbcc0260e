@NullMarked
package dev.doorbell.vfio;

import org.jspecify.annotations.NullMarked;
