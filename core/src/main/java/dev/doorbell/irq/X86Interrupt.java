package dev.doorbell.irq;

/// What a message of x86 asks of the local APICs, after interrupt remapping.
///
/// @param vector 0 to 255
/// @param destination an APIC id, or a set of processors when `logical`
/// @param logical whether the destination is matched with logical APIC ids
/// @param deliveryMode 0 fixed, 1 lowest priority, 2 SMI, 4 NMI, 5 INIT, 7 ExtINT
/// @param wide whether the destination has 32 bits, as x2APIC has it, and not 8
public record X86Interrupt(
    int vector, long destination, boolean logical, int deliveryMode, boolean wide) {
  /// {@return what a message asks for that nothing remaps}
  public static X86Interrupt ofMessage(long address, int data) {
    int command = X86CommandLayout.ofMessage(address, data);
    return new X86Interrupt(
        X86CommandLayout.VECTOR.getInt(command),
        X86MessageLayout.DESTINATION.get(address),
        X86CommandLayout.LOGICAL.isSet(command),
        X86CommandLayout.DELIVERY_MODE.getInt(command),
        false);
  }

  /// {@return vector, delivery mode and destination mode as {@link dev.doorbell.bus.ApicPort#send} takes them}
  public int command() {
    return X86CommandLayout.command(vector, deliveryMode, logical);
  }

  @Override
  public String toString() {
    return "vector %d for %s destination 0x%x"
        .formatted(vector, logical ? "logical" : "physical", destination);
  }
}
