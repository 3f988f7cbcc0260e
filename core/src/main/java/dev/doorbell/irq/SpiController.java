package dev.doorbell.irq;

/// The part of an Arm interrupt distributor that handles shared peripheral interrupts (SPIs), as a GICv2m frame needs
/// it. A frame may sit on a GICv2 or on a GICv3; each distributor's driver implements this. Every method returns only
/// after the distributor has taken the change (on GICv3: GICD_CTLR.RWP has cleared). Safe for use from many threads.
///
/// Every method that takes an `intid` throws `IllegalArgumentException` when the distributor has no such SPI, and
/// nothing is changed then.
///
/// **Source** IHI 0048B 4.3 (GICv2), IHI 0069H 12.9 (GICv3).
public interface SpiController {
  /// {@return the distributor's name, such as `gicd@0x8000000`}
  String id();

  /// {@return the last SPI that the distributor has, 32 to 1019; below 32 when it has none}
  int lastSpi();

  /// {@return CPUs that an SPI can be routed to, numbered from 0 in firmware's order}
  int cpus();

  /// Makes an SPI edge-triggered, which a message needs: the frame pulses the line and a level-sensitive SPI keeps
  /// nothing. The SPI must be disabled.
  void configureEdge(int intid);

  /// Sends an SPI to a CPU; one that is pending moves along.
  ///
  /// @throws IllegalArgumentException when there is no such CPU
  void route(int intid, int cpu);

  /// Lets an SPI through, a pending one included.
  void enable(int intid);

  /// Holds an SPI back; it can still become pending.
  void disable(int intid);

  boolean isPending(int intid);

  /// Makes an SPI pending as a message would.
  void setPending(int intid);

  /// Forgets a pending SPI.
  void clearPending(int intid);

  /// Takes SPIs of a range that have arrived and not yet been collected: enabled and pending, or acknowledged
  /// meanwhile.
  ///
  /// {@return how many}
  int collect(int firstIntid, int lastIntid, InterruptSink sink);
}
