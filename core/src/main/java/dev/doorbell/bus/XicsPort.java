package dev.doorbell.bus;

/// The presentation controllers (ICP) of a machine with XICS, as sources of interrupts reach them. Safe for use from many threads.
///
/// **Source**: skiboot 7.1 `hw/phb3.c`; QEMU 10.0 `hw/intc/xics.c` (`icp_irq`).
@FunctionalInterface
public interface XicsPort {
  /// Presents an interrupt to a server, now or when it has nothing more favoured.
  ///
  /// @param server the controller's number
  /// @param number the interrupt's in the machine, above 0
  /// @param priority 0 to 254, 0 the most favoured
  /// {@return whether there is such a server}
  boolean present(int server, int number, int priority);
}
