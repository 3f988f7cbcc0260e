package dev.doorbell.linux.kvm;

import java.util.List;

/// Why a virtual processor came back. After a read ({@link Mmio}, {@link Io}) it is answered by {@link KvmVcpu#answer} before it runs again.
///
/// **Source**: Linux `Documentation/virt/kvm/api.rst` section 5 (`KVM_EXIT_…`)
public sealed interface VcpuExit {
  /// An access to guest-physical memory that is no slot.
  ///
  /// @param address guest-physical
  /// @param bytes 1 to 8
  /// @param value what is written, zero-extended; 0 for a read
  record Mmio(long address, int bytes, boolean write, long value) implements VcpuExit {}

  /// An access to an x86 I/O port.
  ///
  /// @param bytes 1, 2 or 4
  /// @param count elements of a string instruction, else 1
  /// @param value the first element that is written; 0 for a read
  record Io(int port, int bytes, boolean write, int count, long value) implements VcpuExit {}

  /// The processor halts, and no interrupt controller of the kernel would wake it.
  record Hlt() implements VcpuExit {}

  /// The guest ends or restarts itself.
  record SystemEvent(Kind kind) implements VcpuExit {
    /// What it asks for.
    public enum Kind {
      SHUTDOWN,
      RESET,
      CRASH,
      OTHER
    }
  }

  /// The processor cannot go on, such as after a triple fault on x86.
  record Shutdown() implements VcpuExit {}

  /// KVM cannot go on: 1 is an instruction that it does not emulate.
  ///
  /// @param data what KVM says besides
  record KvmInternalError(int suberror, List<Long> data) implements VcpuExit {}

  /// The processor refuses the state that it was given.
  record FailEntry(long reason) implements VcpuExit {}

  /// An access that Arm's syndrome does not describe, such as a load of a pair.
  ///
  /// @param address guest-physical
  record NoSyndrome(long address) implements VcpuExit {}

  /// {@link KvmVcpu#stop} was called.
  record Stopped() implements VcpuExit {}

  /// A reason that nobody here asked for.
  record Other(int reason) implements VcpuExit {}
}
