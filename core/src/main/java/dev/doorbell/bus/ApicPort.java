package dev.doorbell.bus;

/// The local APICs of an x86 machine, as whoever sends them interrupts reaches them: an IOMMU's interrupt remapping, or a message that
/// nothing remaps. Sending allocates nothing. Safe for use from many threads.
///
/// **Source**: Intel SDM volume 3, 11.6 (Issuing Interprocessor Interrupts), 11.11 (Message Signalled Interrupts).
@FunctionalInterface
public interface ApicPort {
  /// Sends an interrupt.
  ///
  /// @param destination an APIC id, or a set of processors; 8 or 32 bits
  /// @param command vector in bits 7:0, delivery mode in 10:8, logical destination in 11: as ICR and a message's datum have them
  /// @param wide whether the destination has 32 bits
  /// {@return whether some processor took it}
  boolean send(long destination, int command, boolean wide);

  /// Tells a processor that the guest which it runs has a new interrupt in its virtual APIC's backing page (AMD's AVIC). It raises no vector.
  ///
  /// @param apicId which processor
  /// {@return whether there is one}
  default boolean doorbell(long apicId) {
    return false;
  }
}
