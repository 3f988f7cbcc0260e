/// Plans in the words of what takes them: QEMU, libvirt, ACPI and device trees. Pure: the same plan always gives the same text.
@NullMarked
package dev.doorbell.plan.emit;

import org.jspecify.annotations.NullMarked;
