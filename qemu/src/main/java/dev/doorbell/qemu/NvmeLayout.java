package dev.doorbell.qemu;

import dev.doorbell.bits.Access;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;

/// Controller properties of an NVM Express controller (QEMU's `nvme`, 1b36:0010), BAR 0, and its queue entries.
///
/// **Source**: NVM Express Base Specification 2.0c, 3.1.3 (properties), 3.3.3.1 (submission queue entry), 3.3.3.2 (completion queue entry),
/// 5.4, 5.5, 5.17 (commands); NVMe over PCIe Transport 1.0c, 3.1.2 (doorbells).
public final class NvmeLayout {
  public static final int VENDOR = 0x1b36;
  public static final int DEVICE = 0x0010;

  public static final int SUBMISSION_BYTES = 64;
  public static final int COMPLETION_BYTES = 16;

  public static final int CREATE_SUBMISSION_QUEUE = 0x01;
  public static final int CREATE_COMPLETION_QUEUE = 0x05;
  public static final int IDENTIFY = 0x06;
  public static final int VIRTUALIZATION_MANAGEMENT = 0x1c;

  /// Of no command set.
  public static final int NO_COMMAND = 0x7f;

  private static final RegisterMap.Builder M = RegisterMap.named("NVMe properties", 0x2000);
  private static final RegisterMap.Builder S =
      RegisterMap.named("submission queue entry", SUBMISSION_BYTES);
  private static final RegisterMap.Builder C =
      RegisterMap.named("completion queue entry", COMPLETION_BYTES);
  private static final Layout CAP_L = Layout.lsb0("CAP", 8);
  private static final Layout CC_L = Layout.lsb0("CC", 4);
  private static final Layout CSTS_L = Layout.lsb0("CSTS", 4);
  private static final Layout AQA_L = Layout.lsb0("AQA", 4);
  private static final Layout BASE_L = Layout.lsb0("queue base", 8);
  private static final Layout DOORBELL_L = Layout.lsb0("queue doorbell", 4);
  private static final Layout CDW0_L = Layout.lsb0("CDW0", 4);
  private static final Layout WORD_L = Layout.lsb0("dword", 4);
  private static final Layout POINTER_L = Layout.lsb0("pointer", 8);
  private static final Layout QUEUE_L = Layout.lsb0("CDW10 of Create Queue", 4);
  private static final Layout CREATE_CQ_L = Layout.lsb0("CDW11 of Create I/O Completion Queue", 4);
  private static final Layout CREATE_SQ_L = Layout.lsb0("CDW11 of Create I/O Submission Queue", 4);
  private static final Layout VIRTUAL_L = Layout.lsb0("CDW10 of Virtualization Management", 4);
  private static final Layout SQ_L = Layout.lsb0("completion dword 2", 4);
  private static final Layout STATUS_L = Layout.lsb0("completion dword 3", 4);

  // spotless:off
  public static final Field MQES     = CAP_L.bits("MQES", 15, 0);
  public static final Field CQR      = CAP_L.bit("CQR", 16);
  public static final Field CAP_AMS  = CAP_L.bits("AMS", 18, 17);
  public static final Field TO       = CAP_L.bits("TO", 31, 24);
  public static final Field DSTRD    = CAP_L.bits("DSTRD", 35, 32);
  public static final Field NSSRS    = CAP_L.bit("NSSRS", 36);
  public static final Field CAP_CSS  = CAP_L.bits("CSS", 44, 37);
  public static final Field BPS      = CAP_L.bit("BPS", 45);
  public static final Field CPS      = CAP_L.bits("CPS", 47, 46);
  public static final Field MPSMIN   = CAP_L.bits("MPSMIN", 51, 48);
  public static final Field MPSMAX   = CAP_L.bits("MPSMAX", 55, 52);
  public static final Field PMRS     = CAP_L.bit("PMRS", 56);
  public static final Field CMBS     = CAP_L.bit("CMBS", 57);
  public static final Field NSSS     = CAP_L.bit("NSSS", 58);
  public static final Field CRMS     = CAP_L.bits("CRMS", 60, 59);
  public static final Field EN       = CC_L.bit("EN", 0);
  public static final Field CSS      = CC_L.bits("CSS", 6, 4);
  public static final Field MPS      = CC_L.bits("MPS", 10, 7);
  public static final Field AMS      = CC_L.bits("AMS", 13, 11);
  public static final Field SHN      = CC_L.bits("SHN", 15, 14);
  public static final Field IOSQES   = CC_L.bits("IOSQES", 19, 16);
  public static final Field IOCQES   = CC_L.bits("IOCQES", 23, 20);
  public static final Field CRIME    = CC_L.bit("CRIME", 24);
  public static final Field RDY      = CSTS_L.bit("RDY", 0);
  public static final Field CFS      = CSTS_L.bit("CFS", 1);
  public static final Field SHST     = CSTS_L.bits("SHST", 3, 2);
  public static final Field NSSRO    = CSTS_L.bit("NSSRO", 4);
  public static final Field PP       = CSTS_L.bit("PP", 5);
  public static final Field ST       = CSTS_L.bit("ST", 6);
  public static final Field ASQS     = AQA_L.bits("ASQS", 11, 0);
  public static final Field ACQS     = AQA_L.bits("ACQS", 27, 16);
  public static final Field BASE     = BASE_L.address("queue base", 63, 12);
  public static final Field INDEX    = DOORBELL_L.bits("tail or head", 15, 0);
  public static final Field OPC      = CDW0_L.bits("OPC", 7, 0);
  public static final Field FUSE     = CDW0_L.bits("FUSE", 9, 8);
  public static final Field PSDT     = CDW0_L.bits("PSDT", 15, 14);
  public static final Field CID      = CDW0_L.bits("CID", 31, 16);
  public static final Field WORD     = WORD_L.bits("value", 31, 0);
  public static final Field POINTER  = POINTER_L.bits("PRP entry", 63, 0);
  public static final Field QID      = QUEUE_L.bits("QID", 15, 0);
  /// Entries less one.
  public static final Field QSIZE    = QUEUE_L.bits("QSIZE", 31, 16);
  public static final Field CQ_PC    = CREATE_CQ_L.bit("PC", 0);
  public static final Field IEN      = CREATE_CQ_L.bit("IEN", 1);
  public static final Field IV       = CREATE_CQ_L.bits("IV", 31, 16);
  public static final Field SQ_PC    = CREATE_SQ_L.bit("PC", 0);
  public static final Field QPRIO    = CREATE_SQ_L.bits("QPRIO", 2, 1);
  public static final Field CQID     = CREATE_SQ_L.bits("CQID", 31, 16);
  public static final Field ACT      = VIRTUAL_L.bits("ACT", 3, 0);
  public static final Field RT       = VIRTUAL_L.bits("RT", 10, 8);
  public static final Field CNTLID   = VIRTUAL_L.bits("CNTLID", 31, 16);
  public static final Field SQHD     = SQ_L.bits("SQHD", 15, 0);
  public static final Field SQID     = SQ_L.bits("SQID", 31, 16);
  public static final Field DONE_CID = STATUS_L.bits("CID", 15, 0);
  public static final Field PHASE    = STATUS_L.bit("P", 16);
  public static final Field SC       = STATUS_L.bits("SC", 24, 17);
  public static final Field SCT      = STATUS_L.bits("SCT", 27, 25);
  public static final Field CRD      = STATUS_L.bits("CRD", 29, 28);
  public static final Field MORE     = STATUS_L.bit("M", 30);
  public static final Field DNR      = STATUS_L.bit("DNR", 31);

  public static final Register CAP  = M.register("CAP", 0x00, Access.RO, CAP_L.res0(23, 19).res0(63, 61).seal());
  public static final Register CC   = M.register("CC", 0x14, Access.RW, CC_L.res0(3, 1).res0(31, 25).seal());
  public static final Register CSTS = M.register("CSTS", 0x1c, Access.RO.andW1c(0x10), CSTS_L.res0(31, 7).seal());
  public static final Register AQA  = M.register("AQA", 0x24, Access.RW, AQA_L.res0(15, 12).res0(31, 28).seal());
  public static final Register ASQ  = M.register("ASQ", 0x28, Access.RW, BASE_L.res0(11, 0).seal());
  public static final Register ACQ  = M.register("ACQ", 0x30, Access.RW, BASE_L);
  /// Submission tail and completion head of each queue in turn, where CAP.DSTRD is 0.
  public static final Register DOORBELL = M.array("SQyTDBL, CQyHDBL", 0x1000, 128, Access.WO, DOORBELL_L.res0(31, 16).seal());

  public static final Register CDW0  = S.register("CDW0", 0x00, Access.RW, CDW0_L.res0(13, 10).seal());
  public static final Register NSID  = S.register("NSID", 0x04, Access.RW, WORD_L.seal());
  public static final Register CDW2  = S.register("CDW2", 0x08, Access.RW, WORD_L);
  public static final Register CDW3  = S.register("CDW3", 0x0c, Access.RW, WORD_L);
  public static final Register MPTR  = S.register("MPTR", 0x10, Access.RW, POINTER_L.seal());
  public static final Register PRP1  = S.register("PRP1", 0x18, Access.RW, POINTER_L);
  public static final Register PRP2  = S.register("PRP2", 0x20, Access.RW, POINTER_L);
  public static final Register CDW10 = S.register("CDW10", 0x28, Access.RW, WORD_L);
  public static final Register CDW11 = S.register("CDW11", 0x2c, Access.RW, WORD_L);
  public static final Register CDW12_15 = S.array("CDW12 to CDW15", 0x30, 4, Access.RW, WORD_L);

  public static final Register RESULT = C.array("DW0, DW1", 0x00, 2, Access.RW, WORD_L);
  public static final Register SUBMISSION = C.register("DW2", 0x08, Access.RW, SQ_L.seal());
  public static final Register STATUS = C.register("DW3", 0x0c, Access.RW, STATUS_L.seal());
  // spotless:on

  public static final Layout CREATE_QUEUE = QUEUE_L.seal();
  public static final Layout CREATE_CQ = CREATE_CQ_L.res0(15, 2).seal();
  public static final Layout CREATE_SQ = CREATE_SQ_L.res0(15, 3).seal();
  public static final Layout VIRTUALIZATION = VIRTUAL_L.res0(7, 4).res0(15, 11).seal();
  public static final RegisterMap MAP = M.seal();
  public static final RegisterMap SUBMISSION_ENTRY = S.seal();
  public static final RegisterMap COMPLETION_ENTRY = C.seal();

  private NvmeLayout() {}
}
