/// High Precision Event Timers whose comparators send messages (FSB interrupts), which whatever remaps a machine's interrupts takes like those of
/// functions.
///
/// **Source**: IA-PC HPET Specification, revision 1.0a, 2.3 (memory mapped registers), 2.3.9 (timer N).
@org.jspecify.annotations.NullMarked
package dev.doorbell.hw.hpet;
