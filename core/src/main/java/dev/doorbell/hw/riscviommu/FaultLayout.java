package dev.doorbell.hw.riscviommu;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;

/// Records of the fault queue: four doublewords each, and the causes that they name.
///
/// **Source**: RISC-V IOMMU Architecture 1.0, 4.2 (fault/event queue).
public final class FaultLayout {
  private FaultLayout() {}

  public static final int BYTES = 32;
  public static final int IOTVAL_AT = 16;
  public static final int IOTVAL2_AT = 24;

  /// `TTYP`.
  public static final int UNTRANSLATED_EXECUTE = 1;

  public static final int UNTRANSLATED_READ = 2;
  public static final int UNTRANSLATED_WRITE = 3;
  public static final int TRANSLATED_EXECUTE = 5;
  public static final int TRANSLATED_READ = 6;
  public static final int TRANSLATED_WRITE = 7;
  public static final int TRANSLATION_REQUEST = 8;
  public static final int MESSAGE_REQUEST = 9;

  /// `CAUSE`.
  public static final int INSTRUCTION_ACCESS_FAULT = 1;

  public static final int READ_MISALIGNED = 4;
  public static final int READ_ACCESS_FAULT = 5;
  public static final int WRITE_MISALIGNED = 6;
  public static final int WRITE_ACCESS_FAULT = 7;
  public static final int INSTRUCTION_PAGE_FAULT = 12;
  public static final int READ_PAGE_FAULT = 13;
  public static final int WRITE_PAGE_FAULT = 15;
  public static final int INSTRUCTION_GUEST_PAGE_FAULT = 20;
  public static final int READ_GUEST_PAGE_FAULT = 21;
  public static final int WRITE_GUEST_PAGE_FAULT = 23;
  public static final int ALL_DISALLOWED = 256;
  public static final int DDT_LOAD_FAULT = 257;
  public static final int DDT_INVALID = 258;
  public static final int DDT_MISCONFIGURED = 259;
  public static final int TYPE_DISALLOWED = 260;
  public static final int MSI_LOAD_FAULT = 261;
  public static final int MSI_INVALID = 262;
  public static final int MSI_MISCONFIGURED = 263;
  public static final int MRIF_FAULT = 264;
  public static final int PDT_LOAD_FAULT = 265;
  public static final int PDT_INVALID = 266;
  public static final int PDT_MISCONFIGURED = 267;
  public static final int DDT_CORRUPTED = 268;
  public static final int PDT_CORRUPTED = 269;
  public static final int MSI_CORRUPTED = 270;
  public static final int MRIF_CORRUPTED = 271;
  public static final int INTERNAL_ERROR = 272;
  public static final int MSI_WRITE_FAULT = 273;
  public static final int PT_CORRUPTED = 274;

  private static final Layout FIRST_L = Layout.lsb0("fault record", 8);
  private static final Layout GUEST_L = Layout.lsb0("iotval2", 8);

  // spotless:off
  public static final Field CAUSE     = FIRST_L.bits("CAUSE",  11,  0);
  public static final Field PID       = FIRST_L.bits("PID",    31, 12);
  public static final Field PV        = FIRST_L.bit ("PV",     32);
  public static final Field PRIV      = FIRST_L.bit ("PRIV",   33);
  public static final Field TTYP      = FIRST_L.bits("TTYP",   39, 34);
  public static final Field DID       = FIRST_L.bits("DID",    63, 40);
  public static final Layout FIRST    = FIRST_L.seal();

  public static final Field IMPLICIT  = GUEST_L.bit ("implicit access",        0);
  public static final Field IMPLICIT_WRITE = GUEST_L.bit("implicit write",     1);
  public static final Field GPA       = GUEST_L.address("GPA[63:2]",  63,  2);
  public static final Layout IOTVAL2  = GUEST_L.seal();
  // spotless:on

  /// {@return whether a fault is recorded of a device whose context has DTF}
  public static boolean reportedDespiteDtf(int cause) {
    return switch (cause) {
      case ALL_DISALLOWED,
          DDT_LOAD_FAULT,
          DDT_INVALID,
          DDT_MISCONFIGURED,
          DDT_CORRUPTED,
          INTERNAL_ERROR,
          MSI_WRITE_FAULT ->
          true;
      default -> false;
    };
  }

  /// {@return what the manual calls a cause}
  public static String name(int cause) {
    return switch (cause) {
      case INSTRUCTION_ACCESS_FAULT -> "Instruction access fault";
      case READ_MISALIGNED -> "Read address misaligned";
      case READ_ACCESS_FAULT -> "Read access fault";
      case WRITE_MISALIGNED -> "Write/AMO address misaligned";
      case WRITE_ACCESS_FAULT -> "Write/AMO access fault";
      case INSTRUCTION_PAGE_FAULT -> "Instruction page fault";
      case READ_PAGE_FAULT -> "Read page fault";
      case WRITE_PAGE_FAULT -> "Write/AMO page fault";
      case INSTRUCTION_GUEST_PAGE_FAULT -> "Instruction guest page fault";
      case READ_GUEST_PAGE_FAULT -> "Read guest-page fault";
      case WRITE_GUEST_PAGE_FAULT -> "Write/AMO guest-page fault";
      case ALL_DISALLOWED -> "All inbound transactions disallowed";
      case DDT_LOAD_FAULT -> "DDT entry load access fault";
      case DDT_INVALID -> "DDT entry not valid";
      case DDT_MISCONFIGURED -> "DDT entry misconfigured";
      case TYPE_DISALLOWED -> "Transaction type disallowed";
      case MSI_LOAD_FAULT -> "MSI PTE load access fault";
      case MSI_INVALID -> "MSI PTE not valid";
      case MSI_MISCONFIGURED -> "MSI PTE misconfigured";
      case MRIF_FAULT -> "MRIF access fault";
      case PDT_LOAD_FAULT -> "PDT entry load access fault";
      case PDT_INVALID -> "PDT entry not valid";
      case PDT_MISCONFIGURED -> "PDT entry misconfigured";
      case DDT_CORRUPTED -> "DDT data corruption";
      case PDT_CORRUPTED -> "PDT data corruption";
      case MSI_CORRUPTED -> "MSI PT data corruption";
      case MRIF_CORRUPTED -> "MSI MRIF data corruption";
      case INTERNAL_ERROR -> "Internal data path error";
      case MSI_WRITE_FAULT -> "IOMMU MSI write access fault";
      case PT_CORRUPTED -> "First/second-stage PT data corruption";
      default -> "cause " + cause;
    };
  }
}
