package dev.doorbell.description;

import dev.doorbell.address.AddressRange;
import dev.doorbell.explain.Source;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/// The local and I/O APICs of an x86 machine.
///
/// @param cpus processors that can be used, in firmware's order; empty when firmware does not tell
/// @param ioApics I/O APICs
/// @param lines interrupts of the ISA bus that are not as usual
/// @param hpets timers that firmware describes, or says an IOMMU remaps
/// @param xApicOnly where firmware asks the system to stay out of x2APIC mode; empty when it does not
public record ApicDescription(
    List<Cpu> cpus,
    List<IoApic> ioApics,
    List<Line> lines,
    List<Hpet> hpets,
    Optional<Source> xApicOnly,
    Source source) {
  /// The highest APIC id that xAPIC mode can name; all ones is every CPU.
  public static final long LAST_XAPIC_ID = 0xfe;

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

  /// How an interrupt of the ISA bus reaches the I/O APICs, where firmware says that it is not as usual (an interrupt source override).
  ///
  /// @param irq its number on the bus
  /// @param gsi the global system interrupt that it is
  public record Line(int irq, long gsi, WireSignal signal, Source source) {}

  private static final int ISA_LINES = 16;

  /// {@return how a global system interrupt's line tells}
  ///
  /// **Source**: ACPI 6.5, 5.2.12.5, 5.2.13: the first 16 are those of the ISA bus unless an override says otherwise; those beyond are taken for
  /// PCI's, whose routing only AML would tell.
  public WireSignal signal(long gsi) {
    return lines.stream()
        .filter(l -> l.gsi() == gsi)
        .findFirst()
        .map(Line::signal)
        .orElse(gsi < ISA_LINES ? WireSignal.ISA : WireSignal.PCI);
  }

  /// {@return the I/O APIC that has a global system interrupt's pin, as far as its number tells: the last that begins at or before it}
  public Optional<IoApic> ioApic(long gsi) {
    return ioApics.stream()
        .filter(a -> a.gsiBase() <= gsi)
        .max(Comparator.comparingLong(IoApic::gsiBase));
  }

  /// A High Precision Event Timer, which can send its interrupts as messages.
  ///
  /// @param number its HPET number
  /// @param registers its registers, when firmware tells
  /// @param timers how many it has, when firmware tells
  /// @param iommu the IOMMU that remaps its messages, when firmware names one
  /// @param sourceId the requester id that they carry, when firmware tells
  public record Hpet(
      int number,
      Optional<AddressRange> registers,
      OptionalInt timers,
      Optional<String> iommu,
      OptionalInt sourceId,
      Source source) {}

  /// Where firmware does not ask for a mode.
  public ApicDescription(
      List<Cpu> cpus, List<IoApic> ioApics, List<Line> lines, List<Hpet> hpets, Source source) {
    this(cpus, ioApics, lines, hpets, Optional.empty(), source);
  }

  /// {@return processors that interrupts of devices can be sent to}
  public long reachable() {
    return cpus.stream().filter(c -> xApicOnly.isEmpty() || c.apicId() <= LAST_XAPIC_ID).count();
  }

  /// {@return APIC ids of the processors, in firmware's order; one of id 0 where firmware tells none}
  public List<Long> ids() {
    return cpus.isEmpty() ? List.of(0L) : cpus.stream().map(Cpu::apicId).toList();
  }

  public ApicDescription {
    lines = List.copyOf(lines);
    hpets = List.copyOf(hpets);
    cpus = List.copyOf(cpus);
    ioApics = List.copyOf(ioApics);
  }
}
