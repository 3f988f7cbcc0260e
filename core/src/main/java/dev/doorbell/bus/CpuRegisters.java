package dev.doorbell.bus;

/// Registers that only an x86 CPU itself reaches, where a machine lets one do so from outside. CPUs are numbered from 0 in firmware's order.
/// Safe for use from many threads.
public interface CpuRegisters {
  int cpus();

  /// {@return a model-specific register's content}
  ///
  /// @throws BusErrorException when the CPU has no such register, as a general protection fault tells
  long readMsr(int cpu, int msr);

  /// Writes a model-specific register.
  ///
  /// @throws BusErrorException when the CPU has no such register, or does not take this value
  void writeMsr(int cpu, int msr, long value);

  /// {@return the page of a CPU's own local APIC, which all CPUs have at the same physical address}
  RegisterBus apicPage(int cpu);
}
