package dev.doorbell.hw.smmuv3;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.ValueNames;

/// Commands of the Non-secure command queue: 16 bytes, two little-endian words, `W0` first.
///
/// The fields of commands that share a format are declared once: `PREFETCH_*`, `CFGI_*`, `TLBI_*`, `ATC_INV_*`,
/// `PRI_RESP_*`, `RESUME_*` (CMD_STALL_TERM too) and `SYNC_*`.
///
/// **Source** IHI 0070 F.b, 4.1 to 4.7.
public final class CommandLayout {
  /// Bytes of one command, and its base 2 logarithm.
  public static final int BYTES = 16;

  public static final int LOG2_BYTES = 4;

  // spotless:off
  public static final int CMD_PREFETCH_CONFIG = 0x01;
  public static final int CMD_PREFETCH_ADDR   = 0x02;
  public static final int CMD_CFGI_STE        = 0x03;
  /// With Range 31 the manual calls it CMD_CFGI_ALL.
  public static final int CMD_CFGI_STE_RANGE  = 0x04;
  public static final int CMD_CFGI_CD         = 0x05;
  public static final int CMD_CFGI_CD_ALL     = 0x06;
  public static final int CMD_CFGI_VMS_PIDM   = 0x07;
  public static final int CMD_TLBI_NH_ALL     = 0x10;
  public static final int CMD_TLBI_NH_ASID    = 0x11;
  public static final int CMD_TLBI_NH_VA      = 0x12;
  public static final int CMD_TLBI_NH_VAA     = 0x13;
  public static final int CMD_TLBI_EL3_ALL    = 0x18;
  public static final int CMD_TLBI_EL3_VA     = 0x1a;
  public static final int CMD_TLBI_EL2_ALL    = 0x20;
  public static final int CMD_TLBI_EL2_ASID   = 0x21;
  public static final int CMD_TLBI_EL2_VA     = 0x22;
  public static final int CMD_TLBI_EL2_VAA    = 0x23;
  public static final int CMD_TLBI_S12_VMALL  = 0x28;
  public static final int CMD_TLBI_S2_IPA     = 0x2a;
  public static final int CMD_TLBI_NSNH_ALL   = 0x30;
  public static final int CMD_ATC_INV         = 0x40;
  public static final int CMD_PRI_RESP        = 0x41;
  public static final int CMD_RESUME          = 0x44;
  public static final int CMD_STALL_TERM      = 0x45;
  public static final int CMD_SYNC            = 0x46;

  private static final ValueNames OPCODES = ValueNames.of(
      CMD_PREFETCH_CONFIG, "CMD_PREFETCH_CONFIG", CMD_PREFETCH_ADDR, "CMD_PREFETCH_ADDR",
      CMD_CFGI_STE, "CMD_CFGI_STE", CMD_CFGI_STE_RANGE, "CMD_CFGI_STE_RANGE", CMD_CFGI_CD, "CMD_CFGI_CD",
      CMD_CFGI_CD_ALL, "CMD_CFGI_CD_ALL", CMD_CFGI_VMS_PIDM, "CMD_CFGI_VMS_PIDM",
      CMD_TLBI_NH_ALL, "CMD_TLBI_NH_ALL", CMD_TLBI_NH_ASID, "CMD_TLBI_NH_ASID", CMD_TLBI_NH_VA, "CMD_TLBI_NH_VA",
      CMD_TLBI_NH_VAA, "CMD_TLBI_NH_VAA", CMD_TLBI_EL3_ALL, "CMD_TLBI_EL3_ALL", CMD_TLBI_EL3_VA, "CMD_TLBI_EL3_VA",
      CMD_TLBI_EL2_ALL, "CMD_TLBI_EL2_ALL", CMD_TLBI_EL2_ASID, "CMD_TLBI_EL2_ASID",
      CMD_TLBI_EL2_VA, "CMD_TLBI_EL2_VA", CMD_TLBI_EL2_VAA, "CMD_TLBI_EL2_VAA",
      CMD_TLBI_S12_VMALL, "CMD_TLBI_S12_VMALL", CMD_TLBI_S2_IPA, "CMD_TLBI_S2_IPA",
      CMD_TLBI_NSNH_ALL, "CMD_TLBI_NSNH_ALL", CMD_ATC_INV, "CMD_ATC_INV", CMD_PRI_RESP, "CMD_PRI_RESP",
      CMD_RESUME, "CMD_RESUME", CMD_STALL_TERM, "CMD_STALL_TERM", CMD_SYNC, "CMD_SYNC");
  private static final ValueNames GRANULES = ValueNames.of(0, "no range", 1, "4KB", 2, "16KB", 3, "64KB");

  private static final Layout L_ANY_W0      = Layout.lsb0("CMD[0]",          8);
  private static final Layout L_PREFETCH_W0 = Layout.lsb0("CMD_PREFETCH[0]", 8);
  private static final Layout L_PREFETCH_W1 = Layout.lsb0("CMD_PREFETCH[1]", 8);
  private static final Layout L_CFGI_W0     = Layout.lsb0("CMD_CFGI[0]",     8);
  private static final Layout L_CFGI_W1     = Layout.lsb0("CMD_CFGI[1]",     8);
  private static final Layout L_PIDM_W0     = Layout.lsb0("CMD_CFGI_VMS_PIDM[0]", 8);
  private static final Layout L_TLBI_W0     = Layout.lsb0("CMD_TLBI[0]",     8);
  private static final Layout L_TLBI_W1     = Layout.lsb0("CMD_TLBI[1]",     8);
  private static final Layout L_ATC_W0      = Layout.lsb0("CMD_ATC_INV[0]",  8);
  private static final Layout L_ATC_W1      = Layout.lsb0("CMD_ATC_INV[1]",  8);
  private static final Layout L_PRI_W0      = Layout.lsb0("CMD_PRI_RESP[0]", 8);
  private static final Layout L_PRI_W1      = Layout.lsb0("CMD_PRI_RESP[1]", 8);
  private static final Layout L_RESUME_W0   = Layout.lsb0("CMD_RESUME[0]",   8);
  private static final Layout L_RESUME_W1   = Layout.lsb0("CMD_RESUME[1]",   8);
  private static final Layout L_SYNC_W0     = Layout.lsb0("CMD_SYNC[0]",     8);
  private static final Layout L_SYNC_W1     = Layout.lsb0("CMD_SYNC[1]",     8);

  /// The opcode of every command, and SSec of those that have it (RES0 in the others). SSec is illegal when set in a Non-secure
  /// command queue.
  public static final Field OPCODE           = L_ANY_W0.bits("Opcode",        7,  0, OPCODES);
  public static final Field SSEC             = L_ANY_W0.bit ("SSec",         10);

  public static final Field PREFETCH_OPCODE       = L_PREFETCH_W0.bits("Opcode",       7,  0, OPCODES);
  public static final Field PREFETCH_SSEC         = L_PREFETCH_W0.bit ("SSec",        10);
  public static final Field PREFETCH_SSV          = L_PREFETCH_W0.bit ("SSV",         11);
  public static final Field PREFETCH_SUBSTREAM_ID = L_PREFETCH_W0.bits("SubstreamID", 31, 12);
  public static final Field PREFETCH_STREAM_ID    = L_PREFETCH_W0.bits("StreamID",    63, 32);
  public static final Field PREFETCH_SIZE         = L_PREFETCH_W1.bits("Size",         4,  0);
  public static final Field PREFETCH_STRIDE       = L_PREFETCH_W1.bits("Stride",       9,  5);
  public static final Field PREFETCH_ADDRESS      = L_PREFETCH_W1.address("Address",  63, 12);

  public static final Field CFGI_OPCODE       = L_CFGI_W0.bits("Opcode",        7,  0, OPCODES);
  public static final Field CFGI_SSEC         = L_CFGI_W0.bit ("SSec",         10);
  /// CMD_CFGI_CD only.
  public static final Field CFGI_SUBSTREAM_ID = L_CFGI_W0.bits("SubstreamID",  31, 12);
  public static final Field CFGI_STREAM_ID    = L_CFGI_W0.bits("StreamID",     63, 32);
  /// Bit 0 is Leaf in CMD_CFGI_STE and CMD_CFGI_CD; bits 4:0 are Range in CMD_CFGI_STE_RANGE.
  public static final Field CFGI_RANGE        = L_CFGI_W1.bits("Range",         4,  0);
  public static final Field CFGI_LEAF         = new Field("Leaf", 0, 1, false, ValueNames.NONE);
  /// Range of CMD_CFGI_ALL.
  public static final int CFGI_RANGE_ALL = 31;

  public static final Field PIDM_OPCODE = L_PIDM_W0.bits("Opcode",  7,  0, OPCODES);
  public static final Field PIDM_SSEC   = L_PIDM_W0.bit ("SSec",   10);
  public static final Field PIDM_VMID   = L_PIDM_W0.bits("VMID",   47, 32);

  public static final Field TLBI_OPCODE  = L_TLBI_W0.bits("Opcode",      7,  0, OPCODES);
  public static final Field TLBI_NUM     = L_TLBI_W0.bits("NUM",        16, 12);
  public static final Field TLBI_SCALE   = L_TLBI_W0.bits("SCALE",      24, 20);
  public static final Field TLBI_VMID    = L_TLBI_W0.bits("VMID",       47, 32);
  public static final Field TLBI_ASID    = L_TLBI_W0.bits("ASID",       63, 48);
  public static final Field TLBI_LEAF    = L_TLBI_W1.bit ("Leaf",        0);
  public static final Field TLBI_TTL     = L_TLBI_W1.bits("TTL",         9,  8);
  public static final Field TLBI_TG      = L_TLBI_W1.bits("TG",         11, 10, GRANULES);
  /// A VA; in CMD_TLBI_S2_IPA an IPA, which reaches bit 51.
  public static final Field TLBI_ADDRESS = L_TLBI_W1.address("Address", 63, 12);

  public static final Field ATC_INV_OPCODE       = L_ATC_W0.bits("Opcode",       7,  0, OPCODES);
  public static final Field ATC_INV_GLOBAL       = L_ATC_W0.bit ("Global",       9);
  public static final Field ATC_INV_SSV          = L_ATC_W0.bit ("SSV",         11);
  public static final Field ATC_INV_SUBSTREAM_ID = L_ATC_W0.bits("SubstreamID", 31, 12);
  public static final Field ATC_INV_STREAM_ID    = L_ATC_W0.bits("StreamID",    63, 32);
  public static final Field ATC_INV_SIZE         = L_ATC_W1.bits("Size",         5,  0);
  public static final Field ATC_INV_ADDRESS      = L_ATC_W1.address("Address",  63, 12);

  public static final Field PRI_RESP_OPCODE       = L_PRI_W0.bits("Opcode",       7,  0, OPCODES);
  public static final Field PRI_RESP_SSV          = L_PRI_W0.bit ("SSV",         11);
  public static final Field PRI_RESP_SUBSTREAM_ID = L_PRI_W0.bits("SubstreamID", 31, 12);
  public static final Field PRI_RESP_STREAM_ID    = L_PRI_W0.bits("StreamID",    63, 32);
  public static final Field PRI_RESP_PRG_INDEX    = L_PRI_W1.bits("PRGIndex",     8,  0);
  public static final Field PRI_RESP_RESP         = L_PRI_W1.bits("Resp",        13, 12);

  public static final Field RESUME_OPCODE    = L_RESUME_W0.bits("Opcode",    7,  0, OPCODES);
  public static final Field RESUME_SSEC      = L_RESUME_W0.bit ("SSec",     10);
  /// Action (1 retry, 0 terminate) and Abort (1 report it to the device, 0 RAZ/WI); CMD_RESUME only.
  public static final Field RESUME_AC        = L_RESUME_W0.bit ("Ac",       12);
  public static final Field RESUME_AB        = L_RESUME_W0.bit ("Ab",       13);
  public static final Field RESUME_STREAM_ID = L_RESUME_W0.bits("StreamID", 63, 32);
  /// CMD_RESUME only.
  public static final Field RESUME_STAG      = L_RESUME_W1.bits("STAG",     15,  0);

  public static final Field SYNC_OPCODE      = L_SYNC_W0.bits("Opcode",    7,  0, OPCODES);
  public static final Field SYNC_CS          = L_SYNC_W0.bits("CS",       13, 12,
      ValueNames.of(0, "SIG_NONE", 1, "SIG_IRQ", 2, "SIG_SEV"));
  public static final Field SYNC_MSH         = L_SYNC_W0.bits("MSH",      23, 22);
  public static final Field SYNC_MSI_ATTR    = L_SYNC_W0.bits("MSIAttr",  27, 24);
  public static final Field SYNC_MSI_DATA    = L_SYNC_W0.bits("MSIData",  63, 32);
  public static final Field SYNC_MSI_ADDRESS = L_SYNC_W1.address("MSIAddress", 51, 2);
  public static final int SIG_NONE = 0;
  public static final int SIG_IRQ  = 1;
  public static final int SIG_SEV  = 2;

  public static final Layout ANY_W0      = L_ANY_W0.res0(9, 8).impdef(63, 11).seal();
  public static final Layout PREFETCH_W0 = L_PREFETCH_W0.res0(9, 8).seal();
  /// CMD_PREFETCH_ADDR; all zero in CMD_PREFETCH_CONFIG.
  public static final Layout PREFETCH_W1 = L_PREFETCH_W1.res0(11, 10).seal();
  public static final Layout CFGI_W0     = L_CFGI_W0.res0(9, 8).res0(11, 11).seal();
  public static final Layout CFGI_W1     = L_CFGI_W1.res0(63, 5).seal();
  public static final Layout PIDM_W0     = L_PIDM_W0.res0(9, 8).res0(31, 11).res0(63, 48).seal();
  public static final Layout TLBI_W0     = L_TLBI_W0.res0(11, 8).res0(19, 17).res0(31, 25).seal();
  public static final Layout TLBI_W1     = L_TLBI_W1.res0(7, 1).seal();
  public static final Layout ATC_INV_W0  = L_ATC_W0.res0(8, 8).res0(10, 10).seal();
  public static final Layout ATC_INV_W1  = L_ATC_W1.res0(11, 6).seal();
  public static final Layout PRI_RESP_W0 = L_PRI_W0.res0(10, 8).seal();
  public static final Layout PRI_RESP_W1 = L_PRI_W1.res0(11, 9).res0(63, 14).seal();
  public static final Layout RESUME_W0   = L_RESUME_W0.res0(9, 8).res0(11, 11).res0(31, 14).seal();
  public static final Layout RESUME_W1   = L_RESUME_W1.res0(63, 16).seal();
  public static final Layout SYNC_W0     = L_SYNC_W0.res0(11, 8).res0(21, 14).res0(31, 28).seal();
  public static final Layout SYNC_W1     = L_SYNC_W1.res0(1, 0).res0(63, 52).seal();
  // spotless:on

  private CommandLayout() {}
}
