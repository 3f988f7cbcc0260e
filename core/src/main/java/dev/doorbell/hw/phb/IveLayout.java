package dev.doorbell.hw.phb;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;

/// An interrupt vector entry (IVE) of IODA2, big-endian in memory: which server a message interrupts, how urgently, whose it is, and what has come. Bit 0
/// is the most significant.
///
/// **Source**: skiboot 7.1 `include/phb3-regs.h`, `hw/phb3.c` (`phb3_msi_set_xive`, `phb3_pci_msi_eoi`).
public final class IveLayout {
  private static final int BYTES = 16;
  private static final int WIDE_BYTES = 128;

  /// The priority of an interrupt that is held back.
  public static final int MASKED = 0xff;

  /// Bytes in which the bridge keeps P and Q, each alone in its byte but for the generation.
  static final int P_BYTE = 4;

  static final int Q_BYTE = 5;

  /// Servers of the field, in which two lower bits name a link.
  static final int SERVER_SHIFT = 2;

  private static final Layout L = Layout.msb0("IVE", 8);
  private static final Layout P_L = Layout.msb0("IVE byte 4", 1);
  private static final Layout Q_L = Layout.msb0("IVE byte 5", 1);

  // spotless:off
  public static final Field SERVER     = L.bits("SERVER",    0, 23);
  public static final Field PRIORITY   = L.bits("PRIORITY", 24, 31);
  public static final Field GEN        = L.bits("GEN",      37, 38);
  public static final Field P          = L.bit ("P",            39);
  public static final Field Q          = L.bit ("Q",            47);
  public static final Field PE         = L.bits("PE",       48, 63);
  public static final Layout LAYOUT    = L.res0(32, 36).res0(40, 46).seal();

  /// The same bits, in the bytes in which they are written alone.
  public static final Field BYTE_GEN   = P_L.bits("GEN", 5, 6);
  public static final Field BYTE_P     = P_L.bit ("P",      7);
  public static final Layout P_LAYOUT  = P_L.res0(0, 4).seal();
  public static final Field BYTE_Q     = Q_L.bit ("Q",      7);
  public static final Layout Q_LAYOUT  = Q_L.res0(0, 6).seal();
  // spotless:on

  private IveLayout() {}

  /// {@return bytes from an entry to the next}
  ///
  /// @param control PHB_CONTROL, which firmware sets
  public static int bytes(long control) {
    return Phb3Registers.IVE_128_BYTES.isSet(control) ? WIDE_BYTES : BYTES;
  }

  /// {@return an entry as it lies in memory, or the other way round}
  public static long swapped(long word) {
    return Long.reverseBytes(word);
  }

  /// {@return the server of an entry}
  public static int server(long ive) {
    return SERVER.getInt(ive) >>> SERVER_SHIFT;
  }

  /// {@return the upper half of an entry, as it lies in memory: where it goes, and how urgently}
  static int route(int server, int priority) {
    long upper = SERVER.place((long) server << SERVER_SHIFT) | PRIORITY.place(priority);
    return Integer.reverseBytes((int) (upper >>> Integer.SIZE));
  }
}
