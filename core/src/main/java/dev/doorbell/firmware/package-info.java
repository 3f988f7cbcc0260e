/// Firmware tables and captured roots, read into a machine description: ACPI (MADT, IORT, MCFG, VIOT), flattened device
/// trees, sysfs and procfs files, and `lspci -xxxx` dumps.
///
/// Everything read here is untrusted: each access is bounds-checked, each loop is bounded by the bytes that are there,
/// and what is wrong becomes an oddity with file and offset while reading goes on.
@NullMarked
package dev.doorbell.firmware;

import org.jspecify.annotations.NullMarked;
