package dev.doorbell.bus;

/// The harts' side of their interrupt files (RISC-V IMSICs), where a machine lets one reach it from outside. CPUs are numbered from 0 in
/// firmware's order. Safe for use from many threads.
///
/// **Source**: RISC-V AIA 1.0, 3.8 (`siselect`, `sireg`), 3.10 (`stopei`).
public interface InterruptFiles {
  /// Nothing is pending.
  int NONE = 0;

  int cpus();

  /// {@return what `sireg` reads}
  ///
  /// @param select what `siselect` holds
  long read(int cpu, int select);

  /// Writes `sireg`.
  void write(int cpu, int select, long value);

  /// Sets or clears bits of `sireg` in one step (`csrs`, `csrc`): bits that a message sets meanwhile are kept.
  void change(int cpu, int select, long bits, boolean on);

  /// {@return the identity that a CPU takes by a write of `stopei`, no longer pending there, or {@link #NONE}}
  int claim(int cpu);
}
