/// Doorbell's own kernel: starts the drivers of a machine, makes its groups, and hands functions out with their vectors.
@NullMarked
package dev.doorbell.host;

import org.jspecify.annotations.NullMarked;
