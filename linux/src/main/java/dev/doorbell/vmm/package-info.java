/// A small virtual machine monitor for Arm: one processor, GICv3 with ITS in the kernel, a console, and one function of the host behind a host
/// bridge, whose interrupts reach the guest inside the kernel.
///
/// `VirtualMachine` puts it together. The guest sees the function's own registers, mapped; its configuration space
/// and its MSI-X table leave the guest and come to `GuestConfig` and `GuestVectors`, which lead
/// each vector that the guest programs to a message of the guest's ITS.
@NullMarked
package dev.doorbell.vmm;

import org.jspecify.annotations.NullMarked;
