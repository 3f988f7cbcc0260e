/// The machine description: what a machine has, and where each fact was read.
@NullMarked
package dev.doorbell.description;

import org.jspecify.annotations.NullMarked;
