package dev.doorbell.irq;

import dev.doorbell.bus.AccessGate;

/// The Redistributors as an ITS's *model* rings them; the GIC's model implements it. Targets are processor numbers, as
/// GICR_TYPER.Processor_Number prints them. A target that does not exist, or an INTID that is no LPI there, is passed over: the
/// hardware has nobody to tell. Allocates nothing. Safe for use from many threads.
public interface LpiPort {
  /// {@return the gate that whoever makes an LPI pending passes} Who changes what messages are translated by drains it then, so that none
  /// arrives by an old translation afterwards. Nobody waits for anything while inside.
  AccessGate gate();

  /// {@return whether there is a Redistributor of this processor number}
  boolean hasTarget(int target);

  /// {@return the processor number of the Redistributor whose RD frame is at a physical address, or -1}
  int targetAt(long physicalAddress);

  /// {@return whether an INTID is an LPI of this GIC}
  boolean isLpi(long intid);

  /// Makes an LPI pending at a target, enabled or not.
  void setPending(int target, int intid);

  /// The same for who is inside the {@link #gate}, as a message is from its look-up on.
  void arrive(int target, int intid);

  /// Forgets a pending LPI.
  void clearPending(int target, int intid);

  /// Moves an LPI from one target to another, pending state included.
  void move(int from, int to, int intid);

  /// Moves all pending LPIs of a target to another.
  void moveAll(int from, int to);

  /// Reads an LPI's configuration from memory again.
  void reload(int target, int intid);

  /// Reads the configuration of all LPIs of a target from memory again.
  void reloadAll(int target);
}
