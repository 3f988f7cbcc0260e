package dev.doorbell.irq;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;

/// How sources of interrupts and POWER's interrupt controller (XIVE) name one another: the word that a source stores to be heard, the number of a
/// source in the whole machine, and the entry of a queue by which software is told.
///
/// **Source**: skiboot `hw/xive.c` (`xive_get_notify_base`, `GIRQ_TO_BLK`), Linux 6.12 `arch/powerpc/sysdev/xive/common.c` (`xive_read_eq`), QEMU 10.0 `include/hw/ppc/xive.h` (`XIVE_TRIGGER_PQ`).
public final class XiveEventLayout {
  /// Bytes of an entry of a queue, a big-endian word.
  public static final int ENTRY_BYTES = 4;

  private static final Layout T = Layout.msb0("XIVE trigger", 8);
  private static final Layout G = Layout.lsb0("interrupt number", 4);
  private static final Layout E = Layout.msb0("event queue entry", 4);

  // spotless:off
  public static final Field END    = T.bit ("END",       0);
  public static final Field PQ     = T.bit ("PQ",        1);
  public static final Field BLOCK  = T.bits("block", 32, 35);
  public static final Field INDEX  = T.bits("index", 36, 63);
  public static final Layout TRIGGER = T.res0(2, 31).seal();

  public static final Field NUMBER_BLOCK = G.bits("block", 23, 20);
  public static final Field NUMBER_INDEX = G.bits("index", 19,  0);
  public static final Layout NUMBER      = G.res0(31, 24).seal();

  public static final Field ENTRY_GENERATION = E.bit ("generation", 0);
  public static final Field ENTRY_DATA       = E.bits("data",   1, 31);
  public static final Layout ENTRY           = E.seal();
  // spotless:on

  private XiveEventLayout() {}

  /// {@return the word by which a source tells of an event, its own state checked}
  ///
  /// @param base what its bridge was told to add: block and index of its first interrupt
  public static long trigger(long base, int source) {
    return PQ.mask() | base + source;
  }

  /// {@return an entry as it lies in memory, in the order of bytes that a little-endian read finds}
  ///
  /// @param round 1 in the first, 0 in the second
  /// @param data 31 bits
  public static int entry(int round, int data) {
    return Integer.reverseBytes((int) (ENTRY_GENERATION.place(round) | ENTRY_DATA.place(data)));
  }

  /// {@return block and index of a machine-wide number, as a trigger has them}
  public static long base(int number) {
    return BLOCK.place(NUMBER_BLOCK.get(number)) | INDEX.place(NUMBER_INDEX.get(number));
  }
}
