package dev.doorbell.hw.xive;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;

/// A notification virtual target (NVT), of which the first word is used here; big-endian, bit 0 the most significant. The target of a hardware
/// thread is told from others by its index.
public final class NvtLayout {
  public static final int BYTES = 64;

  /// Bytes of a target of POWER10's (NVP).
  public static final int BYTES2 = 32;

  /// Targets of a table for hardware threads.
  public static final int ENTRIES = 256;

  private static final Layout W0_L = Layout.msb0("NVT W0", 4);
  private static final Layout I_L = Layout.lsb0("NVT index", 4);

  // spotless:off
  public static final Field VALID        = W0_L.bit("VALID", 0);
  public static final Layout W0_LAYOUT   = W0_L.impdef(1, 31).seal();

  public static final Field HARDWARE     = I_L.bit ("hardware thread", 7);
  public static final Field THREAD       = I_L.bits("thread",       6, 0);
  public static final Layout INDEX_LAYOUT = I_L.res0(31, 8).seal();
  // spotless:on

  private NvtLayout() {}

  /// {@return the target of a hardware thread}
  public static int index(int thread) {
    return (int) (HARDWARE.mask() | THREAD.place(thread));
  }
}
