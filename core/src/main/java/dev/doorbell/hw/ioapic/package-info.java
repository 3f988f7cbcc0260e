/// I/O APICs: wires that become interrupt messages, which whatever remaps a machine's interrupts takes like those of functions.
///
/// **Source**: Intel 82093AA I/O APIC datasheet (290566-001), 3 (registers); Intel I/O Controller Hub 9 datasheet (316972-004), 13.5 (EOI register,
/// messages); Intel Virtualization Technology for Directed I/O, revision 4.1, 5.1.5.1 (entries in remappable format).
@org.jspecify.annotations.NullMarked
package dev.doorbell.hw.ioapic;
