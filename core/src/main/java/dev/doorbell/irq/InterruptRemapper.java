package dev.doorbell.irq;

import java.util.Optional;

/// What stands between a device's interrupt messages and the local APICs of an x86 machine: an IOMMU's interrupt remapping, or nothing. The
/// driver of each kind of IOMMU implements it; the owner of the CPUs' vectors drives it. Safe for use from many threads.
public interface InterruptRemapper {
  /// {@return the name that vectors behind it are told under, such as `vt-d@0xfed90000`}
  String id();

  /// {@return whether a device can raise only its own vectors, whatever it writes}
  boolean isolated();

  /// {@return the highest APIC id that a message can be sent to: 0xfe where destinations have 8 bits}
  long lastDestination();

  /// {@return vectors that one more device could be given at most}
  int free();

  /// {@return what lets entries post to guests; empty where it cannot, and {@link #postsNot} tells why}
  default Optional<InterruptPosting> posting() {
    return Optional.empty();
  }

  /// {@return why {@link #posting} is empty}
  default String postsNot() {
    return "it posts nothing";
  }

  /// Takes entries for a device. They are off: its messages raise nothing.
  ///
  /// @param count how many, above 0
  /// @param contiguous whether one address must serve all, with consecutive data from a multiple of `count`, a power of two (multi-message MSI)
  /// @throws VectorsExhausted when there are fewer; nothing is taken then
  RemapEntries allocate(MsiSource source, int count, boolean contiguous);
}
