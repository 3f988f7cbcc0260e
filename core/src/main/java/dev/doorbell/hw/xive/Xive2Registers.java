package dev.doorbell.hw.xive;

import dev.doorbell.bits.Access;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;

/// The window of POWER10's interrupt controller (IC BAR, 512 pages of 64 KiB): registers of the bus (CQ), of virtualization (VC), of presentation (PC) and
/// of thread contexts (TCTXT) in a page each, then the port for sources; the upper half has a page for the context of each thread. Big-endian; bit 0 is
/// the most significant. Offsets here are those in a page.
///
/// **Source**: skiboot 7.1 `include/xive2-regs.h`, `hw/xive2.c` (`xive_ic_page`, `XIVE_IC_TM_DIRECT_PGOFF`).
public final class Xive2Registers {
  /// Bytes of the window.
  public static final long BYTES = 0x200_0000;

  public static final long PAGE = 0x1_0000;

  public static final int CQ_PAGE = 0;
  public static final int VC_PAGE = 1;
  public static final int PC_PAGE = 2;
  public static final int TCTXT_PAGE = 3;

  /// Offset of the page that sources store their events to.
  public static final long NOTIFY = 4 * PAGE;

  /// Offset of the pages of threads' contexts, as a hypervisor sees them.
  public static final long CONTEXTS = 256 * PAGE;

  /// Threads of the registers of TCTXT_EN.
  public static final int MOST_THREADS = 128;

  /// Threads of a register of TCTXT_EN.
  public static final int THREADS_PER_REGISTER = 64;

  private static final Layout CFG_L = Layout.msb0("CQ_XIVE_CFG", 8);
  private static final Layout VST_L = Layout.msb0("VSD_TABLE_ADDR", 8);
  private static final Layout WORD_L = Layout.msb0("XIVE2 word", 8);
  private static final Layout CTRL_L = Layout.msb0("FLUSH_CTRL", 8);
  private static final Layout POLL_L = Layout.msb0("FLUSH_POLL", 8);
  private static final Layout EN_L = Layout.msb0("TCTXT_EN", 8);

  // spotless:off
  /// How many bits of a target's index name a thread, less 7.
  public static final Field HYP_HARD_RANGE = CFG_L.bits("HYP_HARD_RANGE", 14, 15);
  public static final Field GEN1_TIMA_OS   = CFG_L.bit ("GEN1_TIMA_OS",       24);
  public static final Layout CFG_LAYOUT    = CFG_L.impdef(0, 13).impdef(16, 23).impdef(25, 63).seal();

  public static final Field VST_AUTOINC    = VST_L.bit ("AUTOINC",       0);
  public static final Field VST_SELECT     = VST_L.bits("SELECT",   12, 15);
  public static final Field VST_ADDRESS    = VST_L.bits("ADDRESS",  28, 31);
  public static final Layout VST_LAYOUT    = VST_L.res0(1, 11).res0(16, 27).res0(32, 63).seal();

  public static final Field WORD           = WORD_L.bits("value", 0, 63);
  public static final Layout WORD_LAYOUT   = WORD_L.seal();

  public static final Field POLL_VALID     = CTRL_L.bit ("POLL_VALID",         0);
  public static final Field CACHE_DISABLE  = CTRL_L.bit ("WANT_CACHE_DISABLE", 2);
  public static final Layout CTRL_LAYOUT   = CTRL_L.impdef(1, 1).impdef(3, 63).seal();

  public static final Field POLL_BLOCK       = POLL_L.bits("BLOCK_ID",      0,  3);
  public static final Field POLL_OFFSET      = POLL_L.bits("OFFSET",        4, 31);
  public static final Field POLL_BLOCK_MASK  = POLL_L.bits("BLOCK_ID_MASK", 32, 35);
  public static final Field POLL_OFFSET_MASK = POLL_L.bits("OFFSET_MASK",   36, 63);
  public static final Layout POLL_LAYOUT     = POLL_L.seal();

  public static final Field FIRST_THREAD   = EN_L.bit ("thread 0",      0);
  public static final Field OTHER_THREADS  = EN_L.bits("thread 1..63",  1, 63);
  public static final Layout EN_LAYOUT     = EN_L.seal();

  private static final RegisterMap.Builder CQ = RegisterMap.named("XIVE2 CQ", PAGE);
  public static final Register CFG         = CQ.register("CQ_XIVE_CFG",        0x018, Access.RW, CFG_LAYOUT);
  public static final RegisterMap CQ_MAP   = CQ.seal();

  private static final RegisterMap.Builder VC = RegisterMap.named("XIVE2 VC", PAGE);
  public static final Register VC_VSD_ADDR = VC.register("VC_VSD_TABLE_ADDR",  0x000, Access.RW, VST_LAYOUT);
  public static final Register VC_VSD_DATA = VC.register("VC_VSD_TABLE_DATA",  0x008, Access.RW, WORD_LAYOUT);
  public static final Register EASC_CTRL   = VC.register("VC_EASC_FLUSH_CTRL", 0x300, Access.RW, CTRL_LAYOUT);
  public static final Register EASC_POLL   = VC.register("VC_EASC_FLUSH_POLL", 0x308, Access.RW, POLL_LAYOUT);
  public static final RegisterMap VC_MAP   = VC.seal();

  private static final RegisterMap.Builder PC = RegisterMap.named("XIVE2 PC", PAGE);
  public static final Register PC_VSD_ADDR = PC.register("PC_VSD_TABLE_ADDR",  0x000, Access.RW, VST_LAYOUT);
  public static final Register PC_VSD_DATA = PC.register("PC_VSD_TABLE_DATA",  0x008, Access.RW, WORD_LAYOUT);
  public static final RegisterMap PC_MAP   = PC.seal();

  private static final RegisterMap.Builder TC = RegisterMap.named("XIVE2 TCTXT", PAGE);
  public static final Register EN0         = TC.register("TCTXT_EN0",          0x000, Access.RW, EN_LAYOUT);
  public static final Register EN0_SET     = TC.register("TCTXT_EN0_SET",      0x010, Access.W1S, EN_LAYOUT);
  public static final Register EN0_RESET   = TC.register("TCTXT_EN0_RESET",    0x018, Access.WO, EN_LAYOUT);
  public static final Register EN1         = TC.register("TCTXT_EN1",          0x020, Access.RW, EN_LAYOUT);
  public static final Register EN1_SET     = TC.register("TCTXT_EN1_SET",      0x030, Access.W1S, EN_LAYOUT);
  public static final Register EN1_RESET   = TC.register("TCTXT_EN1_RESET",    0x038, Access.WO, EN_LAYOUT);
  public static final RegisterMap TCTXT_MAP = TC.seal();
  // spotless:on

  private Xive2Registers() {}

  /// {@return where a register is in the window}
  static long at(int page, Register register) {
    return page * PAGE + register.offset();
  }

  /// {@return the bit of a thread in its register of TCTXT_EN}
  public static long threadBit(int thread) {
    return FIRST_THREAD.mask() >>> thread % THREADS_PER_REGISTER;
  }
}
