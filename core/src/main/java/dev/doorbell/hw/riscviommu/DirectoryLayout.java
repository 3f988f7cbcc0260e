package dev.doorbell.hw.riscviommu;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.ValueNames;

/// The device directory: entries that lead to a next table, and device contexts of 32 (base format) or 64 bytes (extended format, where the
/// IOMMU has MSI page tables).
///
/// **Source**: RISC-V IOMMU Architecture 1.0, 2.1 (device-directory-table), 2.3.1 (how a device context is found).
public final class DirectoryLayout {
  private DirectoryLayout() {}

  /// Bytes of a table's page, and of an entry that leads to a next table.
  public static final int PAGE_BYTES = 4096;

  public static final int PAGE_SHIFT = 12;
  public static final int POINTER_BYTES = 8;

  /// Bytes of a device context.
  public static final int BASE_BYTES = 32;

  public static final int EXTENDED_BYTES = 64;

  /// Widths of the indexes into the directory, from the last level up.
  private static final int BASE_FIRST = 7;

  private static final int EXTENDED_FIRST = 6;
  private static final int MIDDLE = 9;
  private static final int DEVICE_ID_BITS = 24;

  /// Offsets of a device context's doublewords.
  public static final int TC_AT = 0;

  public static final int IOHGATP_AT = 8;
  public static final int TA_AT = 16;
  public static final int FSC_AT = 24;
  public static final int MSIPTP_AT = 32;
  public static final int MSI_MASK_AT = 40;
  public static final int MSI_PATTERN_AT = 48;
  public static final int RESERVED_AT = 56;

  /// `iohgatp.MODE` and `iosatp.MODE`.
  public static final int BARE = 0;

  public static final int SV39 = 8;
  public static final int SV48 = 9;
  public static final int SV57 = 10;

  /// `msiptp.MODE`.
  public static final int MSI_OFF = 0;

  public static final int MSI_FLAT = 1;

  private static final ValueNames FIRST_STAGE =
      ValueNames.of(0, "Bare", SV39, "Sv39", SV48, "Sv48", SV57, "Sv57");
  private static final ValueNames SECOND_STAGE =
      ValueNames.of(0, "Bare", SV39, "Sv39x4", SV48, "Sv48x4", SV57, "Sv57x4");
  private static final ValueNames MSI_MODES = ValueNames.of(MSI_OFF, "Off", MSI_FLAT, "Flat");

  private static final Layout POINTER_L = Layout.lsb0("non-leaf DDT entry", 8);
  private static final Layout TC_L = Layout.lsb0("DC.tc", 8);
  private static final Layout IOHGATP_L = Layout.lsb0("DC.iohgatp", 8);
  private static final Layout TA_L = Layout.lsb0("DC.ta", 8);
  private static final Layout FSC_L = Layout.lsb0("DC.fsc", 8);
  private static final Layout MSIPTP_L = Layout.lsb0("DC.msiptp", 8);
  private static final Layout MASK_L = Layout.lsb0("DC.msi_addr_mask", 8);
  private static final Layout PATTERN_L = Layout.lsb0("DC.msi_addr_pattern", 8);

  // spotless:off
  public static final Field POINTER_V     = POINTER_L.bit ("V",          0);
  public static final Field POINTER_PPN   = POINTER_L.bits("PPN",       53, 10);
  public static final Layout POINTER      = POINTER_L.res0(9, 1).res0(63, 54).seal();

  public static final Field TC_V          = TC_L.bit      ("V",          0);
  public static final Field TC_EN_ATS     = TC_L.bit      ("EN_ATS",     1);
  public static final Field TC_EN_PRI     = TC_L.bit      ("EN_PRI",     2);
  public static final Field TC_T2GPA      = TC_L.bit      ("T2GPA",      3);
  public static final Field TC_DTF        = TC_L.bit      ("DTF",        4);
  public static final Field TC_PDTV       = TC_L.bit      ("PDTV",       5);
  public static final Field TC_PRPR       = TC_L.bit      ("PRPR",       6);
  public static final Field TC_GADE       = TC_L.bit      ("GADE",       7);
  public static final Field TC_SADE       = TC_L.bit      ("SADE",       8);
  public static final Field TC_DPE        = TC_L.bit      ("DPE",        9);
  public static final Field TC_SBE        = TC_L.bit      ("SBE",       10);
  public static final Field TC_SXL        = TC_L.bit      ("SXL",       11);
  public static final Layout TC           = TC_L.res0(23, 12).impdef(31, 24).res0(63, 32).seal();

  public static final Field IOHGATP_PPN   = IOHGATP_L.bits("PPN",       43,  0);
  public static final Field IOHGATP_GSCID = IOHGATP_L.bits("GSCID",     59, 44);
  public static final Field IOHGATP_MODE  = IOHGATP_L.bits("MODE",      63, 60, SECOND_STAGE);
  public static final Layout IOHGATP      = IOHGATP_L.seal();

  public static final Field TA_PSCID      = TA_L.bits     ("PSCID",     31, 12);
  public static final Field TA_RCID       = TA_L.bits     ("RCID",      51, 40);
  public static final Field TA_MCID       = TA_L.bits     ("MCID",      63, 52);
  public static final Layout TA           = TA_L.res0(11, 0).res0(39, 32).seal();

  public static final Field FSC_PPN       = FSC_L.bits    ("PPN",       43,  0);
  public static final Field FSC_MODE      = FSC_L.bits    ("MODE",      63, 60, FIRST_STAGE);
  public static final Layout FSC          = FSC_L.res0(59, 44).seal();

  public static final Field MSIPTP_PPN    = MSIPTP_L.bits ("PPN",       43,  0);
  public static final Field MSIPTP_MODE   = MSIPTP_L.bits ("MODE",      63, 60, MSI_MODES);
  public static final Layout MSIPTP       = MSIPTP_L.res0(59, 44).seal();

  public static final Field MSI_ADDR_MASK = MASK_L.bits   ("mask",      51,  0);
  public static final Layout MSI_MASK     = MASK_L.res0(63, 52).seal();

  public static final Field MSI_ADDR_PATTERN = PATTERN_L.bits("pattern", 51, 0);
  public static final Layout MSI_PATTERN  = PATTERN_L.res0(63, 52).seal();
  // spotless:on

  /// {@return bytes of a device context}
  ///
  /// @param extended whether the IOMMU has MSI page tables (`capabilities.MSI_FLAT`)
  public static int contextBytes(boolean extended) {
    return extended ? EXTENDED_BYTES : BASE_BYTES;
  }

  /// {@return the index of a device_id into a table of a level}
  ///
  /// @param level 0 for the table of device contexts, 2 for the first one of three
  public static int index(int deviceId, int level, boolean extended) {
    int low = level == 0 ? 0 : first(extended) + (level - 1) * MIDDLE;
    int high = level == 2 ? DEVICE_ID_BITS : first(extended) + level * MIDDLE;
    return (deviceId >>> low) & ((1 << (high - low)) - 1);
  }

  /// {@return how wide a device_id may be}
  ///
  /// @param levels tables of the directory, 1 to 3
  public static int deviceIdBits(int levels, boolean extended) {
    return Math.min(DEVICE_ID_BITS, first(extended) + (levels - 1) * MIDDLE);
  }

  private static int first(boolean extended) {
    return extended ? EXTENDED_FIRST : BASE_FIRST;
  }

  /// {@return the address of a page}
  public static long address(long ppn) {
    return ppn << PAGE_SHIFT;
  }

  /// {@return the number of an address's page}
  public static long ppn(long address) {
    return address >>> PAGE_SHIFT;
  }
}
