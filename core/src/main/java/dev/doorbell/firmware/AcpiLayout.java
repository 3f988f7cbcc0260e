package dev.doorbell.firmware;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;

/// Flag words of ACPI tables.
///
/// **Source**: ACPI 6.5, 5.2.12 (MADT); DEN 0049 issue E.f, 3 (IORT); ACPI 6.5, 5.2.32 (VIOT has none).
final class AcpiLayout {
  private AcpiLayout() {}

  private static final Layout GICC = Layout.lsb0("GICC.Flags", 4);
  private static final Layout APIC = Layout.lsb0("Local APIC.Flags", 4);
  private static final Layout INTI = Layout.lsb0("MPS INTI Flags", 2);
  private static final Layout FRAME = Layout.lsb0("GIC MSI Frame.Flags", 4);
  private static final Layout MAPPING = Layout.lsb0("IORT ID mapping.Flags", 4);
  private static final Layout COHERENCY = Layout.lsb0("IORT memory access.CCA", 4);
  private static final Layout ACCESS = Layout.lsb0("IORT memory access.MAF", 1);
  private static final Layout ATS = Layout.lsb0("IORT root complex.ATS", 4);
  private static final Layout SMMU = Layout.lsb0("IORT SMMUv1/v2.Flags", 4);
  private static final Layout SMMU3 = Layout.lsb0("IORT SMMUv3.Flags", 4);
  private static final Layout RMR = Layout.lsb0("IORT RMR.Flags", 4);

  // spotless:off
  static final Field GICC_ENABLED          = GICC.bit       ("Enabled",                          0);
  static final Field GICC_ONLINE_CAPABLE   = GICC.bit       ("Online Capable",                   3);
  static final Field APIC_ENABLED          = APIC.bit       ("Enabled",                          0);
  static final Field APIC_ONLINE_CAPABLE   = APIC.bit       ("Online Capable",                   1);
  static final Field INTI_POLARITY         = INTI.bits      ("Polarity",                         1, 0);
  static final Field INTI_TRIGGER          = INTI.bits      ("Trigger Mode",                     3, 2);
  static final Field FRAME_SPI_SELECT      = FRAME.bit      ("SPI Count/Base Select",            0);
  static final Field MAPPING_SINGLE        = MAPPING.bit    ("Single mapping",                   0);
  static final Field CCA                   = COHERENCY.bit  ("CCA",                              0);
  static final Field MAF_CPM               = ACCESS.bit     ("CPM",                              0);
  static final Field MAF_DACS              = ACCESS.bit     ("DACS",                             1);
  static final Field ATS_SUPPORTED         = ATS.bit        ("ATS supported",                    0);
  static final Field PRI_SUPPORTED         = ATS.bit        ("PRI supported",                    1);
  static final Field PASID_FORWARD         = ATS.bit        ("PASID forward supported",          2);
  static final Field SMMU_DVM              = SMMU.bit       ("DVM supported",                    0);
  static final Field SMMU_COHERENT         = SMMU.bit       ("Coherent page table walks",        1);
  static final Field SMMU3_COHACC_OVERRIDE = SMMU3.bit      ("COHACC override",                  0);
  static final Field SMMU3_HTTU_OVERRIDE   = SMMU3.bits     ("HTTU override",                    2, 1);
  static final Field SMMU3_PROXIMITY_VALID = SMMU3.bit      ("Proximity domain valid",           3);
  static final Field SMMU3_DEVICEID_VALID  = SMMU3.bit      ("DeviceID mapping index valid",     4);
  static final Field RMR_REMAP_PERMITTED   = RMR.bit        ("Remapping permitted",              0);
  static final Field RMR_PRIVILEGED        = RMR.bit        ("Access privileged",                1);
  static final Field RMR_ATTRIBUTES        = RMR.bits       ("Access attributes",                9, 2);
  // spotless:on

  static final Layout GICC_FLAGS = GICC.software(1, 2).res0(4, 31).seal();
  static final Layout APIC_FLAGS = APIC.res0(2, 31).seal();
  static final Layout INTI_FLAGS = INTI.res0(4, 15).seal();
  static final Layout FRAME_FLAGS = FRAME.res0(1, 31).seal();
  static final Layout MAPPING_FLAGS = MAPPING.res0(1, 31).seal();
  static final Layout COHERENCY_WORD = COHERENCY.res0(1, 31).seal();
  static final Layout ACCESS_FLAGS = ACCESS.res0(2, 7).seal();
  static final Layout ATS_ATTRIBUTE = ATS.res0(3, 31).seal();
  static final Layout SMMU_FLAGS = SMMU.res0(2, 31).seal();
  static final Layout SMMU3_FLAGS = SMMU3.res0(5, 31).seal();
  static final Layout RMR_FLAGS = RMR.res0(10, 31).seal();
}
