package dev.doorbell.vfio;

/// A guest as far as interrupts go: somebody who takes them by number, such as a virtual machine.
public interface Guest {
  /// {@return a way into one of its interrupts, which the caller closes}
  ///
  /// @param gsi the guest's global interrupt number; where it leads is the guest's own business
  GuestIrq irq(int gsi);
}
