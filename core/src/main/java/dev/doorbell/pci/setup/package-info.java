/// What firmware does before an operating system starts: numbers the buses of a root complex, sizes and places every BAR, and opens the
/// bridges' windows.
@NullMarked
package dev.doorbell.pci.setup;

import org.jspecify.annotations.NullMarked;
