/// Simple hardware for tests of the rooms above drivers: it records every write, can fail at any one, and shows its whole state.
@NullMarked
package dev.doorbell.simple;

import org.jspecify.annotations.NullMarked;
