package dev.doorbell.hw.xive;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;

/// An event notification descriptor (END) of POWER10's controller: eight big-endian words of 32 bits, of which those are here that a queue without
/// escalation needs. Bit 0 is the most significant. Entries of a queue are as {@link EndLayout} has them.
///
/// **Source**: skiboot 7.1 `include/xive2-regs.h`.
public final class End2Layout {
  /// A queue starts at a multiple of this.
  public static final long QUEUE_ALIGNMENT = 0x80;

  private static final Layout W0_L = Layout.msb0("END2 W0", 4);
  private static final Layout W1_L = Layout.msb0("END2 W1", 4);
  private static final Layout W2_L = Layout.msb0("END2 W2", 4);
  private static final Layout W3_L = Layout.msb0("END2 W3", 4);
  private static final Layout W6_L = Layout.msb0("END2 W6", 4);
  private static final Layout W7_L = Layout.msb0("END2 W7", 4);

  // spotless:off
  public static final Field VALID        = W0_L.bit ("VALID",             0);
  public static final Field ENQUEUE      = W0_L.bit ("ENQUEUE",           5);
  public static final Field UCOND_NOTIFY = W0_L.bit ("UCOND_NOTIFY",      6);
  public static final Field SILENT_ESC   = W0_L.bit ("SILENT_ESCALATE",   7);
  public static final Field BACKLOG      = W0_L.bit ("BACKLOG",           8);
  public static final Field UNCOND_ESC   = W0_L.bit ("UNCOND_ESCALATE",  10);
  public static final Field ESCALATE     = W0_L.bit ("ESCALATE_CTL",     11);
  public static final Field ESCALATE_END = W0_L.bit ("ESCALATE_END",     13);
  public static final Field FIRMWARE1    = W0_L.bit ("FIRMWARE1",        16);
  public static final Field FIRMWARE2    = W0_L.bit ("FIRMWARE2",        17);
  public static final Layout W0_LAYOUT   = W0_L.impdef(1, 4).impdef(9, 9).impdef(12, 12).impdef(14, 15).impdef(18, 31).seal();

  public static final Field ESN          = W1_L.bits("ESn",           0,  1);
  public static final Field ESE          = W1_L.bits("ESe",           2,  3);
  public static final Field GEN_FLIPPED  = W1_L.bit ("GEN_FLIPPED",       8);
  public static final Field GENERATION   = W1_L.bit ("GENERATION",        9);
  public static final Field PAGE_OFF     = W1_L.bits("PAGE_OFF",     10, 31);
  public static final Layout W1_LAYOUT   = W1_L.res0(4, 7).seal();

  public static final Field QUEUE_HIGH   = W2_L.bits("EQ_ADDR_HI",    8, 31);
  public static final Layout W2_LAYOUT   = W2_L.res0(0, 7).seal();

  public static final Field QUEUE_LOW    = W3_L.address("EQ_ADDR_LO", 0, 24);
  public static final Field QSIZE        = W3_L.bits("QSIZE",        28, 31);
  public static final Layout W3_LAYOUT   = W3_L.res0(25, 27).seal();

  public static final Field FORMAT       = W6_L.bit ("FORMAT_BIT",        0);
  public static final Field VP_BLOCK     = W6_L.bits("VP_BLOCK",      4,  7);
  public static final Field VP_OFFSET    = W6_L.bits("VP_OFFSET",     8, 31);
  public static final Layout W6_LAYOUT   = W6_L.impdef(1, 3).seal();

  public static final Field TOPO         = W7_L.bits("TOPO",          0,  3);
  public static final Field F0_PRIORITY  = W7_L.bits("F0_PRIORITY",   8, 15);
  public static final Layout W7_LAYOUT   = W7_L.res0(4, 7).res0(16, 31).seal();
  // spotless:on

  private End2Layout() {}
}
