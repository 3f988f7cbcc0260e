@NullMarked
package dev.doorbell.pci.setup;

import org.jspecify.annotations.NullMarked;
