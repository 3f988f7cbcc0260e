package dev.doorbell.description;

import dev.doorbell.address.AddressRange;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/// The local and I/O APICs of an x86 machine.
///
/// @param cpus processors that can be used, in firmware's order; empty when firmware does not tell
/// @param ioApics I/O APICs
/// @param hpets timers that firmware says an IOMMU remaps
public record ApicDescription(
    List<Cpu> cpus, List<IoApic> ioApics, List<Hpet> hpets, Source source) {
  /// Interrupt vectors of a CPU that a device may raise: 32 to 255. The first 32 belong to exceptions.
  ///
  /// **Source**: Intel SDM volume 3, 6.2 (Exception and Interrupt Vectors).
  public static final int VECTORS_PER_CPU = 224;

  /// How many of these Linux hands to devices: it keeps vector 128 and those from 235 on for itself.
  ///
  /// **Source**: Linux 6.12 `arch/x86/include/asm/irq_vectors.h`.
  public static final int LINUX_VECTORS_PER_CPU = 202;

  /// One processor.
  ///
  /// @param index Doorbell's number, from 0 in firmware's order
  /// @param apicId its local APIC or x2APIC id
  public record Cpu(int index, long apicId, Source source) {}

  /// An I/O APIC, which sends its interrupts as messages.
  ///
  /// @param apicId the id that firmware refers to it by
  /// @param gsiBase its first global system interrupt
  /// @param registers its registers
  /// @param iommu the IOMMU that remaps its messages, when firmware names one
  /// @param sourceId the requester id that they carry, when firmware tells
  public record IoApic(
      int apicId,
      long gsiBase,
      Optional<AddressRange> registers,
      Optional<String> iommu,
      OptionalInt sourceId,
      Source source) {}

  /// A High Precision Event Timer, which can send its interrupts as messages.
  ///
  /// @param number its HPET number
  /// @param iommu the IOMMU that remaps its messages
  /// @param sourceId the requester id that they carry, when firmware tells
  public record Hpet(int number, String iommu, OptionalInt sourceId, Source source) {}

  /// {@return APIC ids of the processors, in firmware's order; one of id 0 where firmware tells none}
  public List<Long> ids() {
    return cpus.isEmpty() ? List.of(0L) : cpus.stream().map(Cpu::apicId).toList();
  }

  public ApicDescription {
    hpets = List.copyOf(hpets);
    cpus = List.copyOf(cpus);
    ioApics = List.copyOf(ioApics);
  }
}
