package dev.doorbell.hw.papr;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import java.util.Map;

/// Numbers of the hypervisor calls by which a guest manages its interrupts itself (XIVE exploitation mode), their flags, and what they answer. Bit 0 is the
/// most significant.
///
/// **Source**: PAPR+ as Linux 6.12 has it (`arch/powerpc/include/asm/hvcall.h`, `arch/powerpc/sysdev/xive/spapr.c`).
public final class XiveCalls {
  // spotless:off
  public static final long H_INT_GET_SOURCE_INFO       = 0x3a8;
  public static final long H_INT_SET_SOURCE_CONFIG     = 0x3ac;
  public static final long H_INT_GET_SOURCE_CONFIG     = 0x3b0;
  public static final long H_INT_GET_QUEUE_INFO        = 0x3b4;
  public static final long H_INT_SET_QUEUE_CONFIG      = 0x3b8;
  public static final long H_INT_GET_QUEUE_CONFIG      = 0x3bc;
  public static final long H_INT_SET_OS_REPORTING_LINE = 0x3c0;
  public static final long H_INT_GET_OS_REPORTING_LINE = 0x3c4;
  public static final long H_INT_ESB                   = 0x3c8;
  public static final long H_INT_SYNC                  = 0x3cc;
  public static final long H_INT_RESET                 = 0x3d0;

  /// What is wrong with the second to the fifth argument.
  public static final long H_P2    = -55;
  public static final long H_P3    = -56;
  public static final long H_P4    = -57;
  public static final long H_P5    = -58;

  /// Another call that changes everything is under way.
  public static final long H_STATE = -75;

  private static final Layout INFO_L  = Layout.msb0("source info", 8);
  private static final Layout ROUTE_L = Layout.msb0("source config", 8);
  private static final Layout QUEUE_L = Layout.msb0("queue config", 8);
  private static final Layout ESB_L   = Layout.msb0("ESB call", 8);

  /// The page is reached by {@link #H_INT_ESB} alone.
  public static final Field BY_CALL       = INFO_L.bit("H_INT_ESB", 60);
  public static final Field LSI           = INFO_L.bit("LSI",       61);
  public static final Field TRIGGER       = INFO_L.bit("TRIGGER",   62);
  public static final Field STORE_EOI     = INFO_L.bit("STORE_EOI", 63);
  public static final Layout INFO         = INFO_L.res0(0, 59).seal();

  public static final Field SET_EISN      = ROUTE_L.bit("SET_EISN", 62);
  public static final Field MASK          = ROUTE_L.bit("MASK",     63);
  public static final Layout ROUTE        = ROUTE_L.res0(0, 61).seal();

  /// Told where {@link #ALWAYS_NOTIFY} was given to ask for more.
  public static final Field GENERATION    = QUEUE_L.bit("generation",    62);
  public static final Field ALWAYS_NOTIFY = QUEUE_L.bit("ALWAYS_NOTIFY", 63);
  public static final Layout QUEUE        = QUEUE_L.res0(0, 61).seal();

  public static final Field STORE         = ESB_L.bit("STORE", 63);
  public static final Layout ESB          = ESB_L.res0(0, 62).seal();

  /// The priority of a source that tells nobody.
  public static final int MASKED     = 0xff;

  /// Priorities of hardware: 0 is the most favoured.
  public static final int PRIORITIES = 8;
  // spotless:on

  private static final Map<Long, String> NAMES =
      Map.ofEntries(
          Map.entry(H_INT_GET_SOURCE_INFO, "H_INT_GET_SOURCE_INFO"),
          Map.entry(H_INT_SET_SOURCE_CONFIG, "H_INT_SET_SOURCE_CONFIG"),
          Map.entry(H_INT_GET_SOURCE_CONFIG, "H_INT_GET_SOURCE_CONFIG"),
          Map.entry(H_INT_GET_QUEUE_INFO, "H_INT_GET_QUEUE_INFO"),
          Map.entry(H_INT_SET_QUEUE_CONFIG, "H_INT_SET_QUEUE_CONFIG"),
          Map.entry(H_INT_GET_QUEUE_CONFIG, "H_INT_GET_QUEUE_CONFIG"),
          Map.entry(H_INT_SET_OS_REPORTING_LINE, "H_INT_SET_OS_REPORTING_LINE"),
          Map.entry(H_INT_GET_OS_REPORTING_LINE, "H_INT_GET_OS_REPORTING_LINE"),
          Map.entry(H_INT_ESB, "H_INT_ESB"),
          Map.entry(H_INT_SYNC, "H_INT_SYNC"),
          Map.entry(H_INT_RESET, "H_INT_RESET"));

  private XiveCalls() {}

  /// {@return the names of the calls}
  static Map<Long, String> names() {
    return NAMES;
  }

  /// {@return whether a size of a queue is one that the calls know: 4 KiB, 64 KiB, 2 MiB, 16 MiB}
  static boolean isQueueShift(long shift) {
    return shift == 12 || shift == 16 || shift == 21 || shift == 24;
  }
}
