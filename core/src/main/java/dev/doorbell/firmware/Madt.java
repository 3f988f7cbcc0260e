package dev.doorbell.firmware;

import dev.doorbell.explain.Source;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.TreeMap;

/// Multiple APIC Description Table, its Arm structures, processors and I/O APICs of x86, and where its RISC-V structures lie. Others are counted and passed over by their length.
///
/// **Source**: ACPI 6.5, 5.2.12.
///
/// @param counts structures by type
record Madt(
    List<Gicc> giccs,
    List<Gicd> gicds,
    List<MsiFrame> msiFrames,
    List<Gicr> gicrs,
    List<Its> itses,
    LinkedHashMap<Long, Cpu> cpusById,
    List<IoApic> ioApics,
    List<SourceOverride> overrides,
    List<Place> riscv,
    TreeMap<Integer, Integer> counts,
    AcpiTable table) {

  /// GIC CPU interface (type 0Bh).
  ///
  /// @param base GICC registers; 0 when there are none
  /// @param redistributor GICR registers; 0 when a GICR structure tells, or empty when the structure is too short
  /// @param mpidr empty when the structure is the 40 bytes of ACPI 5.0
  record Gicc(
      long uid,
      long flags,
      long base,
      OptionalLong redistributor,
      OptionalLong mpidr,
      Source source) {
    boolean usable() {
      return AcpiLayout.GICC_ENABLED.isSet(flags) || AcpiLayout.GICC_ONLINE_CAPABLE.isSet(flags);
    }
  }

  /// GIC distributor (type 0Ch).
  ///
  /// @param version 0 when the table does not tell
  record Gicd(long base, int version, Source source) {}

  /// GIC MSI frame (type 0Dh), a GICv2m.
  record MsiFrame(long id, long base, OptionalInt spiCount, OptionalInt spiBase, Source source) {}

  /// GIC redistributors (type 0Eh).
  record Gicr(long base, long length, Source source) {}

  /// GIC Interrupt Translation Service (type 0Fh).
  record Its(long id, long base, Source source) {}

  /// Processor with a local APIC (type 00h) or x2APIC (type 09h), when it can be used.
  record Cpu(long apicId, Source source) {}

  /// I/O APIC (type 01h).
  record IoApic(int id, long base, long gsiBase, Source source) {}

  /// Interrupt source override (type 02h): an interrupt of the ISA bus that is not as usual.
  ///
  /// @param polarity 0 as usual, 1 active high, 3 active low
  /// @param trigger 0 as usual, 1 edge, 3 level
  record SourceOverride(int irq, long gsi, int polarity, int trigger, Source source) {}

  /// Where a structure lies that another reader takes apart.
  record Place(int type, int at, int length) {}

  private static final int LOCAL_APIC = 0x00;
  private static final int IO_APIC = 0x01;
  private static final int OVERRIDE = 0x02;
  private static final int LOCAL_X2APIC = 0x09;
  private static final int GICC = 0x0b;
  private static final int GICD = 0x0c;
  private static final int MSI_FRAME = 0x0d;
  private static final int GICR = 0x0e;
  private static final int ITS = 0x0f;
  private static final int LAST_KNOWN = 0x20;
  private static final int FIRST_OEM = 0x80;
  private static final int FIRST_STRUCTURE = 44;
  private static final int GICC_ACPI_5_0 = 40;
  private static final int GICC_WITH_MPIDR = 76;

  boolean describesX86() {
    return counts.containsKey(LOCAL_APIC) || counts.containsKey(LOCAL_X2APIC);
  }

  boolean describesArm() {
    return !giccs.isEmpty() || !gicds.isEmpty();
  }

  boolean describesRiscv() {
    return counts.containsKey(RiscvMadtLayout.RINTC);
  }

  /// {@return the places of RISC-V structures of a type, in order}
  List<Place> places(int type) {
    return riscv.stream().filter(p -> p.type() == type).toList();
  }

  static Madt read(AcpiTable table, Findings findings) {
    Madt madt =
        new Madt(
            new ArrayList<>(),
            new ArrayList<>(),
            new ArrayList<>(),
            new ArrayList<>(),
            new ArrayList<>(),
            new LinkedHashMap<>(),
            new ArrayList<>(),
            new ArrayList<>(),
            new ArrayList<>(),
            new TreeMap<>(),
            table);
    Blob b = table.blob();
    int at = FIRST_STRUCTURE;
    while (at < b.size()) {
      if (at + 2 > b.size()) {
        findings.odd("a structure header is cut off at the table's end", b.source(at));
        break;
      }
      int type = b.u8(at);
      int length = b.u8(at + 1);
      if (length < 2) {
        findings.odd(
            "structure of type %02Xh states length %d; what follows cannot be found"
                .formatted(type, length),
            b.source(at));
        break;
      }
      if (at + length > b.size()) {
        findings.odd(
            "structure of type %02Xh and length %d runs past the table's end"
                .formatted(type, length),
            b.source(at));
        break;
      }
      madt.counts.merge(type, 1, Integer::sum);
      try {
        madt.structure(type, at, length, findings);
      } catch (MalformedException e) {
        findings.odd(e);
      }
      at += length;
    }
    madt.counts.forEach((type, count) -> {
      if (type > LAST_KNOWN && type < FIRST_OEM) {
        findings.harmless(
            "%d structures of the undefined type %02Xh are passed over".formatted(count, type),
            table.source(0));
      }
    });
    return madt;
  }

  private void structure(int type, int at, int length, Findings findings) {
    Blob b = table.blob();
    Source source = b.source(at);
    switch (type) {
      case LOCAL_APIC, LOCAL_X2APIC, IO_APIC, OVERRIDE -> apic(type, at, length);
      case GICC -> {
        atLeast(GICC_ACPI_5_0, length, "GICC", source);
        boolean full = length >= GICC_WITH_MPIDR;
        if (!full && length != GICC_ACPI_5_0) {
          findings.odd(
              "GICC structure of length %d, too short for an MPIDR".formatted(length), source);
        }
        giccs.add(
            new Gicc(
                b.u32(at + 8),
                b.u32(at + 12),
                b.u64(at + 32),
                full ? OptionalLong.of(b.u64(at + 60)) : OptionalLong.empty(),
                full ? OptionalLong.of(b.u64(at + 68)) : OptionalLong.empty(),
                source));
      }
      case GICD -> {
        atLeast(24, length, "GICD", source);
        if (length != 24) {
          findings.harmless("GICD structure of length %d instead of 24".formatted(length), source);
        }
        gicds.add(new Gicd(b.u64(at + 8), b.u8(at + 20), source));
      }
      case MSI_FRAME -> {
        atLeast(24, length, "GIC MSI frame", source);
        boolean told = AcpiLayout.FRAME_SPI_SELECT.isSet(b.u32(at + 16));
        msiFrames.add(
            new MsiFrame(
                b.u32(at + 4),
                b.u64(at + 8),
                told ? OptionalInt.of(b.u16(at + 20)) : OptionalInt.empty(),
                told ? OptionalInt.of(b.u16(at + 22)) : OptionalInt.empty(),
                source));
      }
      case GICR -> {
        atLeast(16, length, "GICR", source);
        gicrs.add(new Gicr(b.u64(at + 4), b.u32(at + 12), source));
      }
      case ITS -> {
        atLeast(16, length, "GIC ITS", source);
        itses.add(new Its(b.u32(at + 4), b.u64(at + 8), source));
      }
      case RiscvMadtLayout.RINTC,
          RiscvMadtLayout.IMSIC,
          RiscvMadtLayout.APLIC,
          RiscvMadtLayout.PLIC ->
          riscv.add(new Place(type, at, length));
      default -> {}
    }
  }

  private void apic(int type, int at, int length) {
    Blob b = table.blob();
    Source source = b.source(at);
    switch (type) {
      case LOCAL_APIC -> {
        atLeast(8, length, "local APIC", source);
        cpu(b.u8(at + 3), b.u32(at + 4), source);
      }
      case LOCAL_X2APIC -> {
        atLeast(16, length, "local x2APIC", source);
        cpu(b.u32(at + 4), b.u32(at + 8), source);
      }
      case OVERRIDE -> {
        atLeast(10, length, "interrupt source override", source);
        long flags = b.u16(at + 8);
        overrides.add(
            new SourceOverride(
                b.u8(at + 3),
                b.u32(at + 4),
                AcpiLayout.INTI_POLARITY.getInt(flags),
                AcpiLayout.INTI_TRIGGER.getInt(flags),
                source));
      }
      default -> {
        atLeast(12, length, "I/O APIC", source);
        ioApics.add(new IoApic(b.u8(at + 2), b.u32(at + 4), b.u32(at + 8), source));
      }
    }
  }

  /// PCs list places for processors that are not there: only those that are enabled or can be brought online count.
  private void cpu(long apicId, long flags, Source source) {
    boolean usable =
        AcpiLayout.APIC_ENABLED.isSet(flags) || AcpiLayout.APIC_ONLINE_CAPABLE.isSet(flags);
    if (usable) {
      cpusById.putIfAbsent(apicId, new Cpu(apicId, source));
    }
  }

  private static void atLeast(int wanted, int length, String name, Source source) {
    if (length < wanted) {
      throw new MalformedException(
          "%s structure of length %d, less than %d; it is passed over"
              .formatted(name, length, wanted),
          source);
    }
  }
}
