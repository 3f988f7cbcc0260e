@NullMarked
package dev.doorbell.cli;

import org.jspecify.annotations.NullMarked;
