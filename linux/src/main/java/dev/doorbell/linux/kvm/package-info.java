/// KVM: virtual machines, their processors, memory and interrupt controllers, and how a device's vector reaches a guest inside the kernel.
///
/// {@link dev.doorbell.linux.kvm.KvmVm} is where everything starts. What is of one architecture has it in its name
/// ({@link dev.doorbell.linux.kvm.X86Cpu}, {@link dev.doorbell.linux.kvm.ArmCpu}, {@link dev.doorbell.linux.kvm.ArmGic}).
@NullMarked
package dev.doorbell.linux.kvm;

import org.jspecify.annotations.NullMarked;
