package dev.doorbell.irq;

import java.util.Optional;

/// The LPIs of a GICv3 as the *drivers* of its ITSes share them: who has which, whether each is enabled, and how one that arrived
/// is taken. The GIC's driver implements it. Safe for use from many threads.
public interface LpiPool {
  /// LPIs that an ITS's driver holds. Numbers need not be consecutive.
  interface Lease {
    int count();

    /// {@return the INTID of one of them}
    int intid(int index);

    /// Gives all back. They must be disabled and nothing may map to them any more.
    void release();
  }

  /// {@return CPUs, numbered from 0 in firmware's order}
  int cpus();

  /// {@return a CPU's target as ITS commands name it: bits 51:16 of its Redistributor's address, or its processor number}
  ///
  /// @param byAddress GITS_TYPER.PTA
  /// @throws IllegalArgumentException when there is no such CPU
  long target(int cpu, boolean byAddress);

  /// {@return LPIs that nobody holds}
  int free();

  /// {@return bits of an INTID, which bound the LPIs' number}
  int idBits();

  /// Takes LPIs for a controller, disabled. Empty, and nothing taken, when there are fewer.
  Optional<Lease> allocate(String controller, int count);

  /// Writes an LPI's configuration. The caller then makes the Redistributors read it (ITS command INV).
  void setEnabled(int intid, boolean enabled);

  /// {@return whether an LPI is pending at a CPU, as the pending table in memory tells; true only where the hardware keeps it there}
  boolean isPending(int cpu, int intid);

  /// Forgets an LPI that was acknowledged and not yet collected.
  void forget(int intid);

  /// {@return whether CPUs acknowledge interrupts here, so that {@link #collect} finds them}
  boolean acknowledges();

  /// Takes a controller's LPIs that CPUs can acknowledge.
  ///
  /// {@return how many}
  int collect(String controller, InterruptSink sink);
}
