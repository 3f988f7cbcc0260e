package dev.doorbell.bench;

import dev.doorbell.address.AddressRange;
import dev.doorbell.machine.EmbeddedMachine;
import java.util.Optional;
import java.util.function.BiFunction;

/// The ways of doing it that are measured side by side.
public enum Platform {
  SMMUV3(BenchMachine::arm, Where.WINDOW, false, 2),
  RISCV(BenchMachine::riscv, Where.WINDOW, true, 2),

  /// An MPIC's banks have one CPU.
  PAMU(PowerMachines::qoriq, Where.WINDOW, true, 1),
  PHB3(PowerMachines::power8, Where.LOW, false, 2),
  PHB4(PowerMachines::power9, Where.LOW, false, 2),
  PHB5(PowerMachines::power10, Where.LOW, false, 2),
  PAPR(PowerMachines::papr, Where.GUEST, false, 2),
  PAPR_XIVE(PowerMachines::paprExploited, Where.GUEST, false, 2);

  /// Where messages and memory are in a domain.
  private enum Where {
    /// Memory lies behind the window of messages, in sub-windows of the same size.
    WINDOW(Optional.of(new AddressRange(0x800_0000L, 0x80f_ffffL)), 0x810_0000L),
    LOW(Optional.empty(), 0x810_0000L),

    /// Where a guest's window is.
    GUEST(Optional.empty(), 0x4000_0000L);

    private final Optional<AddressRange> window;
    private final long memory;

    Where(Optional<AddressRange> window, long memory) {
      this.window = window;
      this.memory = memory;
    }
  }

  private final BiFunction<Integer, Integer, EmbeddedMachine> machine;
  private final Where where;
  private final boolean unsafeInterrupts;
  private final int cpus;

  Platform(
      BiFunction<Integer, Integer, EmbeddedMachine> machine,
      Where where,
      boolean unsafeInterrupts,
      int cpus) {
    this.machine = machine;
    this.where = where;
    this.unsafeInterrupts = unsafeInterrupts;
    this.cpus = cpus;
  }

  /// Assigns functions of a machine of this kind.
  ///
  /// @param shape devices and vectors of each
  void assign(MsiBenchmark.Functions functions, String shape) {
    functions.assign(shape, machine, where.window, unsafeInterrupts);
  }

  /// {@return the IOVA of memory that is mapped besides}
  long memory() {
    return where.memory;
  }

  /// {@return CPUs that a vector can move between}
  int cpus() {
    return cpus;
  }
}
