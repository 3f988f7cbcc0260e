package dev.doorbell.hw.smmuv3;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.ValueNames;

/// Event records: 32 bytes, four little-endian words.
///
/// Word 0 is common. Of word 1 three formats exist: configuration faults use none of it, fetch aborts a Reason, faults of
/// an access the format `W1`. Word 2 is InputAddr of faults of an access; word 3 is FetchAddr of an aborted fetch,
/// or the IPA of a stage 2 fault.
///
/// **Source** IHI 0070 F.b, 7.3. Records of ATS and PRI (F_BAD_ATS_TREQ, F_TRANSL_FORBIDDEN, E_PAGE_REQUEST) share
/// word 0; their other words are not declared, since nothing here issues or reads them.
public final class EventLayout {
  /// Bytes of one record, and its base 2 logarithm.
  public static final int BYTES = 32;

  public static final int LOG2_BYTES = 5;

  // spotless:off
  public static final int F_UUT              = 0x01;
  public static final int C_BAD_STREAMID     = 0x02;
  public static final int F_STE_FETCH        = 0x03;
  public static final int C_BAD_STE          = 0x04;
  public static final int F_BAD_ATS_TREQ     = 0x05;
  public static final int F_STREAM_DISABLED  = 0x06;
  public static final int F_TRANSL_FORBIDDEN = 0x07;
  public static final int C_BAD_SUBSTREAMID  = 0x08;
  public static final int F_CD_FETCH         = 0x09;
  public static final int C_BAD_CD           = 0x0a;
  public static final int F_WALK_EABT        = 0x0b;
  public static final int F_TRANSLATION      = 0x10;
  public static final int F_ADDR_SIZE        = 0x11;
  public static final int F_ACCESS           = 0x12;
  public static final int F_PERMISSION       = 0x13;
  public static final int F_TLB_CONFLICT     = 0x20;
  public static final int F_CFG_CONFLICT     = 0x21;
  public static final int E_PAGE_REQUEST     = 0x24;
  public static final int F_VMS_FETCH        = 0x25;

  private static final ValueNames EVENTS = ValueNames.of(
      F_UUT, "F_UUT", C_BAD_STREAMID, "C_BAD_STREAMID", F_STE_FETCH, "F_STE_FETCH", C_BAD_STE, "C_BAD_STE",
      F_BAD_ATS_TREQ, "F_BAD_ATS_TREQ", F_STREAM_DISABLED, "F_STREAM_DISABLED",
      F_TRANSL_FORBIDDEN, "F_TRANSL_FORBIDDEN", C_BAD_SUBSTREAMID, "C_BAD_SUBSTREAMID",
      F_CD_FETCH, "F_CD_FETCH", C_BAD_CD, "C_BAD_CD", F_WALK_EABT, "F_WALK_EABT",
      F_TRANSLATION, "F_TRANSLATION", F_ADDR_SIZE, "F_ADDR_SIZE", F_ACCESS, "F_ACCESS", F_PERMISSION, "F_PERMISSION",
      F_TLB_CONFLICT, "F_TLB_CONFLICT", F_CFG_CONFLICT, "F_CFG_CONFLICT", E_PAGE_REQUEST, "E_PAGE_REQUEST",
      F_VMS_FETCH, "F_VMS_FETCH");

  private static final Layout L_W0        = Layout.lsb0("EVT[0]",       8);
  private static final Layout L_W1        = Layout.lsb0("EVT[1]",       8);
  private static final Layout L_W1_REASON = Layout.lsb0("EVT[1] fetch", 8);
  private static final Layout L_W2        = Layout.lsb0("EVT[2]",       8);
  private static final Layout L_W3_IPA    = Layout.lsb0("EVT[3] IPA",   8);
  private static final Layout L_W3_FETCH  = Layout.lsb0("EVT[3] fetch", 8);

  public static final Field EVENT_ID     = L_W0.bits("EventID",      7,  0, EVENTS);
  public static final Field SSV          = L_W0.bit ("SSV",         11);
  public static final Field SUBSTREAM_ID = L_W0.bits("SubstreamID", 31, 12);
  public static final Field STREAM_ID    = L_W0.bits("StreamID",    63, 32);

  /// STAG of stalled faults; in F_UUT, F_WALK_EABT and F_TLB_CONFLICT these bits are Reason.
  public static final Field STAG         = L_W1.bits("STAG",        15,  0);
  public static final Field STALL        = L_W1.bit ("Stall",       31);
  public static final Field PNU          = L_W1.bit ("PnU",         33);
  public static final Field IND          = L_W1.bit ("InD",         34);
  public static final Field RNW          = L_W1.bit ("RnW",         35);
  public static final Field S2           = L_W1.bit ("S2",          39);
  public static final Field CLASS        = L_W1.bits("CLASS",       41, 40,
      ValueNames.of(0, "CD", 1, "TT", 2, "IN"));
  /// F_PERMISSION of class TT: the walk only read the table.
  public static final Field TTRNW        = L_W1.bit ("TTRnW",       44);
  public static final int CLASS_CD = 0;
  public static final int CLASS_TT = 1;
  public static final int CLASS_IN = 2;

  public static final Field REASON       = L_W1_REASON.bits("Reason", 15, 0);
  public static final Field INPUT_ADDR   = L_W2.bits("InputAddr",   63,  0);
  public static final Field IPA          = L_W3_IPA.address("IPA",  51, 12);
  public static final Field FETCH_ADDR   = L_W3_FETCH.address("FetchAddr", 51, 3);

  public static final Layout W0        = L_W0.res0(10, 8).seal();
  public static final Layout W1        = L_W1.res0(30, 16).res0(32, 32).res0(38, 36).res0(43, 42).res0(47, 45).impdef(63, 48).seal();
  public static final Layout W1_REASON = L_W1_REASON.res0(63, 16).seal();
  public static final Layout W2        = L_W2.seal();
  public static final Layout W3_IPA    = L_W3_IPA.res0(11, 0).res0(63, 52).seal();
  public static final Layout W3_FETCH  = L_W3_FETCH.res0(2, 0).res0(63, 52).seal();
  // spotless:on

  private EventLayout() {}
}
