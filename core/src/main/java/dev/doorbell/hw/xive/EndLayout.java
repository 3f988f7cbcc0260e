package dev.doorbell.hw.xive;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;

/// An event notification descriptor (END): eight big-endian words of 32 bits. It has a queue in memory, and the target that is told of its events. Bit 0
/// is the most significant.
public final class EndLayout {
  public static final int BYTES = 32;

  /// Least size of a queue (QSIZE 0): 4 KiB.
  public static final long LEAST_QUEUE = 0x1000;

  /// Descriptors of a target: one a priority.
  public static final int PRIORITIES = 8;

  private static final Layout W0_L = Layout.msb0("END W0", 4);
  private static final Layout W1_L = Layout.msb0("END W1", 4);
  private static final Layout W2_L = Layout.msb0("END W2", 4);
  private static final Layout W3_L = Layout.msb0("END W3", 4);
  private static final Layout W6_L = Layout.msb0("END W6", 4);
  private static final Layout W7_L = Layout.msb0("END W7", 4);

  // spotless:off
  public static final Field VALID        = W0_L.bit ("VALID",             0);
  public static final Field ENQUEUE      = W0_L.bit ("ENQUEUE",           1);
  public static final Field UCOND_NOTIFY = W0_L.bit ("UCOND_NOTIFY",      2);
  public static final Field BACKLOG      = W0_L.bit ("BACKLOG",           3);
  public static final Field PRECL_ESC    = W0_L.bit ("PRECL_ESC_CTL",     4);
  public static final Field ESCALATE     = W0_L.bit ("ESCALATE_CTL",      5);
  public static final Field UCOND_ESC    = W0_L.bit ("UNCOND_ESCALATE",   6);
  public static final Field SILENT_ESC   = W0_L.bit ("SILENT_ESCALATE",   7);
  public static final Field QSIZE        = W0_L.bits("QSIZE",        12, 15);
  public static final Field FIRMWARE     = W0_L.bit ("FIRMWARE",         16);
  public static final Field HWDEP        = W0_L.bits("HWDEP",        24, 31);
  public static final Layout W0_LAYOUT   = W0_L.res0(8, 11).res0(17, 23).seal();

  public static final Field ESN          = W1_L.bits("ESn",       0,  1);
  public static final Field ESE          = W1_L.bits("ESe",       2,  3);
  public static final Field GENERATION   = W1_L.bit ("GENERATION",    9);
  public static final Field PAGE_OFF     = W1_L.bits("PAGE_OFF", 10, 31);
  public static final Layout W1_LAYOUT   = W1_L.res0(4, 8).seal();

  public static final Field W2_MIGRATION = W2_L.bits("MIGRATION_REG",    0,  3);
  public static final Field QUEUE_HIGH   = W2_L.bits("OP_DESC_HI",       4, 31);
  public static final Layout W2_LAYOUT   = W2_L.seal();

  public static final Field QUEUE_LOW    = W3_L.bits("OP_DESC_LO",       0, 31);
  public static final Layout W3_LAYOUT   = W3_L.seal();

  public static final Field FORMAT       = W6_L.bit ("FORMAT_BIT",       8);
  public static final Field NVT_BLOCK    = W6_L.bits("NVT_BLOCK",    9, 12);
  public static final Field NVT_INDEX    = W6_L.bits("NVT_INDEX",   13, 31);
  public static final Layout W6_LAYOUT   = W6_L.res0(0, 7).seal();

  public static final Field F0_IGNORE    = W7_L.bit ("F0_IGNORE",        0);
  public static final Field F0_GROUPING  = W7_L.bit ("F0_BLK_GROUPING",  1);
  public static final Field F0_PRIORITY  = W7_L.bits("F0_PRIORITY",  8, 15);
  public static final Layout W7_LAYOUT   = W7_L.res0(2, 7).res0(16, 31).seal();
  // spotless:on

  private EndLayout() {}

  /// {@return a word as it lies in memory, or the other way round}
  public static long swapped(long word) {
    return Integer.toUnsignedLong(Integer.reverseBytes((int) word));
  }

  /// {@return the address of the queue}
  static long queue(long w2, long w3) {
    return QUEUE_HIGH.get(w2) << Integer.SIZE | QUEUE_LOW.get(w3);
  }

  /// {@return bits 59:32 of a queue's address}
  public static long high(long address) {
    return address >>> Integer.SIZE;
  }

  /// {@return bits 31:0 of a queue's address}
  public static long low(long address) {
    return Integer.toUnsignedLong((int) address);
  }

  /// {@return bytes of the queue}
  public static long queueBytes(long w0) {
    return LEAST_QUEUE << QSIZE.getInt(w0);
  }
}
