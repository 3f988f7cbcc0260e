@NullMarked
package dev.doorbell.pci;

import org.jspecify.annotations.NullMarked;
