/// The bus a driver sees, and the embedded machine built from a description.
@NullMarked
package dev.doorbell.machine;

import org.jspecify.annotations.NullMarked;
