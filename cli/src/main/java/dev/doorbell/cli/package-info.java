/// The command line: what a person types and reads.
@NullMarked
package dev.doorbell.cli;

import org.jspecify.annotations.NullMarked;
