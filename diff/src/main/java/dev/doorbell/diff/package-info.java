/// The differential test: one sequence of register accesses, table writes, commands and messages on Doorbell's model and on another
/// machine (QEMU), and what software can observe compared after each step.
///
/// **Threads** Everything here belongs to one thread.
@NullMarked
package dev.doorbell.diff;

import org.jspecify.annotations.NullMarked;
