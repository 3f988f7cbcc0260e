package dev.doorbell.hw.xive;

import dev.doorbell.bits.Access;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;

/// The interrupt controller's window (IC BAR): registers in its first page of 64 KiB, the port for sources in the second, contexts of one thread
/// after another (by PC_TCTXT_INDIR0) from the fifth on. Big-endian; bit 0 is the most significant.
public final class XiveRegisters {
  /// Bytes of the window.
  public static final long BYTES = 0x8_0000;

  public static final long PAGE = 0x1_0000;

  /// Offset of the page that sources store their events to.
  public static final long NOTIFY = PAGE;

  /// Offset of the context that PC_TCTXT_INDIR0 names, as a hypervisor sees it.
  public static final long INDIRECT = 4 * PAGE;

  /// Threads of a chip.
  public static final int MOST_THREADS = 128;

  /// Threads of a register of PC_THREAD_EN.
  public static final int THREADS_PER_REGISTER = 64;

  private static final Layout WORD_L = Layout.msb0("XIVE word", 8);
  private static final Layout INDIR_L = Layout.msb0("PC_TCTXT_INDIR0", 8);
  private static final Layout EN_L = Layout.msb0("PC_THREAD_EN", 8);
  private static final Layout VST_L = Layout.msb0("VSD_TABLE_ADDR", 8);
  private static final Layout SCRUB_L = Layout.msb0("VC_SCRUB_TRIG", 8);

  // spotless:off
  public static final Field WORD           = WORD_L.bits("value", 0, 63);
  public static final Layout WORD_LAYOUT   = WORD_L.seal();

  public static final Field INDIR_VALID    = INDIR_L.bit ("VALID",     0);
  public static final Field INDIR_THRDID   = INDIR_L.bits("THRDID", 9, 15);
  public static final Layout INDIR_LAYOUT  = INDIR_L.res0(1, 8).res0(16, 63).seal();

  public static final Field FIRST_THREAD   = EN_L.bit ("thread 0",      0);
  public static final Field OTHER_THREADS  = EN_L.bits("thread 1..63",  1, 63);
  public static final Layout EN_LAYOUT     = EN_L.seal();

  public static final Field VST_AUTOINC    = VST_L.bit ("AUTOINC",       0);
  public static final Field VST_SELECT     = VST_L.bits("SELECT",   13, 15);
  public static final Field VST_BLOCK      = VST_L.bits("BLOCK",    27, 31);
  public static final Layout VST_LAYOUT    = VST_L.res0(1, 12).res0(16, 26).res0(32, 63).seal();

  public static final Field SCRUB_VALID    = SCRUB_L.bit ("VALID",        0);
  public static final Field SCRUB_DISABLE  = SCRUB_L.bit ("WANT_DISABLE", 1);
  public static final Field SCRUB_INVAL    = SCRUB_L.bit ("WANT_INVAL",   2);
  public static final Field SCRUB_BLOCK    = SCRUB_L.bits("BLOCK_ID", 28, 31);
  public static final Field SCRUB_OFFSET   = SCRUB_L.bits("OFFSET",   40, 63);
  public static final Layout SCRUB_LAYOUT  = SCRUB_L.res0(3, 27).res0(32, 39).seal();

  private static final RegisterMap.Builder B = RegisterMap.named("XIVE IC", PAGE);
  public static final Register INDIR0      = B.register("PC_TCTXT_INDIR0",       0x420, Access.RW, INDIR_LAYOUT);
  public static final Register EN0_SET     = B.register("PC_THREAD_EN_REG0_SET", 0x448, Access.W1S, EN_LAYOUT);
  public static final Register EN0_CLR     = B.register("PC_THREAD_EN_REG0_CLR", 0x450, Access.WO, EN_LAYOUT);
  public static final Register EN1_SET     = B.register("PC_THREAD_EN_REG1_SET", 0x468, Access.W1S, EN_LAYOUT);
  public static final Register EN1_CLR     = B.register("PC_THREAD_EN_REG1_CLR", 0x470, Access.WO, EN_LAYOUT);
  public static final Register PC_VSD_ADDR = B.register("PC_VSD_TABLE_ADDR",     0x488, Access.RW, VST_LAYOUT);
  public static final Register PC_VSD_DATA = B.register("PC_VSD_TABLE_DATA",     0x490, Access.RW, WORD_LAYOUT);
  public static final Register VC_VSD_ADDR = B.register("VC_VSD_TABLE_ADDR",     0x808, Access.RW, VST_LAYOUT);
  public static final Register VC_VSD_DATA = B.register("VC_VSD_TABLE_DATA",     0x810, Access.RW, WORD_LAYOUT);
  public static final Register EQC_SCRUB   = B.register("VC_EQC_SCRUB_TRIG",     0x910, Access.RW, SCRUB_LAYOUT);
  public static final Register EQC_MASK    = B.register("VC_EQC_SCRUB_MASK",     0x918, Access.RW, SCRUB_LAYOUT);
  public static final Register IVC_SCRUB   = B.register("VC_IVC_SCRUB_TRIG",     0x990, Access.RW, SCRUB_LAYOUT);
  public static final Register IVC_MASK    = B.register("VC_IVC_SCRUB_MASK",     0x998, Access.RW, SCRUB_LAYOUT);
  public static final RegisterMap MAP = B.seal();
  // spotless:on

  private XiveRegisters() {}

  /// {@return the bit of a thread in its register of PC_THREAD_EN}
  public static long threadBit(int thread) {
    return FIRST_THREAD.mask() >>> thread;
  }
}
