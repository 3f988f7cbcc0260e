package dev.doorbell.firmware;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.firmware.Structure.Member;

/// The MADT's RISC-V structures.
///
/// **Source**: ACPI 6.6, 5.2.12.22 (RINTC) to 5.2.12.25 (PLIC).
final class RiscvMadtLayout {
  private RiscvMadtLayout() {}

  static final int RINTC = 0x18;
  static final int IMSIC = 0x19;
  static final int APLIC = 0x1a;
  static final int PLIC = 0x1b;

  private static final Layout FLAGS = Layout.lsb0("RINTC.Flags", 4);

  // spotless:off
  static final Field ENABLED              = FLAGS.bit("Enabled",        0);
  static final Field ONLINE_CAPABLE       = FLAGS.bit("Online Capable", 1);

  static final Structure RINTC_STRUCTURE  = Structure.named("RINTC").skip("Type, length, version and reserved", 4);
  static final Member RINTC_FLAGS         = RINTC_STRUCTURE.u32("Flags");
  static final Member RINTC_HART          = RINTC_STRUCTURE.u64("Hart ID");
  static final Member RINTC_UID           = RINTC_STRUCTURE.u32("ACPI Processor UID");
  static final Member RINTC_EXTERNAL      = RINTC_STRUCTURE.u32("External Interrupt Controller ID");
  static final Member RINTC_IMSIC_BASE    = RINTC_STRUCTURE.u64("IMSIC Base Address");
  static final Member RINTC_IMSIC_SIZE    = RINTC_STRUCTURE.u32("IMSIC Size");

  static final Structure IMSIC_STRUCTURE  = Structure.named("IMSIC").skip("Type, length, version and reserved", 4).skip("Flags", 4);
  static final Member IMSIC_IDS           = IMSIC_STRUCTURE.u16("Number of Supervisor mode Interrupt Identities");
  static final Member IMSIC_GUEST_IDS     = IMSIC_STRUCTURE.u16("Number of Guest mode Interrupt Identities");
  static final Member IMSIC_GUEST_BITS    = IMSIC_STRUCTURE.u8 ("Guest Index Bits");
  static final Member IMSIC_HART_BITS     = IMSIC_STRUCTURE.u8 ("Hart Index Bits");
  static final Member IMSIC_GROUP_BITS    = IMSIC_STRUCTURE.u8 ("Group Index Bits");
  static final Member IMSIC_GROUP_SHIFT   = IMSIC_STRUCTURE.u8 ("Group Index Shift");

  static final Structure APLIC_STRUCTURE  = Structure.named("APLIC").skip("Type, length and version", 3);
  static final Member APLIC_ID            = APLIC_STRUCTURE.u8 ("APLIC ID");
  static final Member APLIC_IDCS          = APLIC_STRUCTURE.skip("Flags", 4).skip("Hardware ID", 8).u16("Number of IDCs");
  static final Member APLIC_SOURCES       = APLIC_STRUCTURE.u16("Total External Interrupt Sources Supported");
  static final Member APLIC_GSI_BASE      = APLIC_STRUCTURE.u32("Global System Interrupt Base");
  static final Member APLIC_BASE          = APLIC_STRUCTURE.u64("APLIC Address");
  static final Member APLIC_SIZE          = APLIC_STRUCTURE.u32("APLIC Size");

  static final Structure PLIC_STRUCTURE   = Structure.named("PLIC").skip("Type, length and version", 3);
  static final Member PLIC_ID             = PLIC_STRUCTURE.u8 ("PLIC ID");
  static final Member PLIC_SOURCES        = PLIC_STRUCTURE.skip("Hardware ID", 8).u16("Total External Interrupt Sources Supported");
  static final Member PLIC_PRIORITY       = PLIC_STRUCTURE.u16("Max Priority");
  static final Member PLIC_SIZE           = PLIC_STRUCTURE.skip("Flags", 4).u32("PLIC Size");
  static final Member PLIC_BASE           = PLIC_STRUCTURE.u64("PLIC Base Address");
  static final Member PLIC_GSI_BASE       = PLIC_STRUCTURE.u32("Global System Interrupt Base");
  // spotless:on

  static final Layout RINTC_FLAG_WORD = FLAGS.res0(2, 31).seal();
}
