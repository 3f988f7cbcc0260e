package dev.doorbell.hw.pamu;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.ValueNames;
import java.math.BigInteger;

/// A peripheral access authorisation and control entry: sixteen big-endian words, of which eight are used. Primary ones stand in the PPAACT at their
/// LIODN's place, secondary ones in the SPAACT from the primary's FSPI on.
///
/// Bit 0 is the least significant, as the Linux driver has them. Words are numbered by their offset: word 1 is at byte 4.
public final class PaaceLayout {
  /// Bytes of an entry.
  public static final int BYTES = 64;

  /// Words of an entry that have a meaning.
  public static final int WORDS = 8;

  /// Word 0 of a primary entry: the window's base, bits 63:32.
  public static final int WBAH = 0;

  /// Word 1: address and permissions.
  public static final int AF = 1;

  /// Word 2: attributes of the target domain.
  public static final int DA = 2;

  /// Word 3: implementation attributes.
  public static final int IA = 3;

  /// Word 4: the translated base, bits 63:32.
  public static final int TWBAH = 4;

  /// Word 5: the translated base, and the size of a sub-window.
  public static final int WIN = 5;

  /// Word 6 of a primary entry: the index of its first secondary one.
  public static final int FSPI = 6;

  /// Word 7: operations, which {@link OmtLayout} declares.
  public static final int OP = 7;

  /// Bits of an offset in the smallest window and sub-window.
  static final int LEAST_BITS = 12;

  public static final int AP_QUERY = 1;
  public static final int AP_UPDATE = 2;
  public static final int ATM_NONE = 0;
  public static final int ATM_WINDOW = 1;
  public static final int OTM_NONE = 0;
  public static final int OTM_IMMEDIATE = 1;
  public static final int OTM_INDEXED = 2;

  private static final ValueNames AP_NAMES =
      ValueNames.of(0, "denied", 1, "query", 2, "update", 3, "all");
  private static final ValueNames ATM_NAMES =
      ValueNames.of(0, "none", 1, "window", 2, "page", 3, "window and page");
  private static final ValueNames OTM_NAMES =
      ValueNames.of(0, "none", 1, "immediate", 2, "indexed", 3, "reserved");

  private static final Layout PRIMARY_L = Layout.lsb0("PPAACE address", 4);
  private static final Layout SECONDARY_L = Layout.lsb0("SPAACE address", 4);
  private static final Layout DA_L = Layout.lsb0("PAACE domain attributes", 4);
  private static final Layout IA_L = Layout.lsb0("PAACE implementation attributes", 4);
  private static final Layout WIN_L = Layout.lsb0("PAACE window", 4);
  private static final Layout HIGH_L = Layout.lsb0("PAACE address high", 4);
  private static final Layout INDEX_L = Layout.lsb0("PAACE index", 4);

  // spotless:off
  public static final Field WBAL  = PRIMARY_L.address("WBAL", 31, 12);
  public static final Field WSE   = PRIMARY_L.bits   ("WSE",  11,  6);
  public static final Field MW    = PRIMARY_L.bit    ("MW",        5);
  public static final Field AP    = PRIMARY_L.bits   ("AP",    4,  3, AP_NAMES);
  public static final Field DD    = PRIMARY_L.bit    ("DD",        2);
  public static final Field PT    = PRIMARY_L.bit    ("PT",        1);
  public static final Field V     = PRIMARY_L.bit    ("V",         0);
  public static final Layout PRIMARY_LAYOUT = PRIMARY_L.seal();

  public static final Field LIODN = SECONDARY_L.bits ("LIODN", 31, 16);
  public static final Field S_AP  = SECONDARY_L.bits ("AP",     4,  3, AP_NAMES);
  public static final Field S_DD  = SECONDARY_L.bit  ("DD",         2);
  public static final Field S_PT  = SECONDARY_L.bit  ("PT",         1);
  public static final Field S_V   = SECONDARY_L.bit  ("V",          0);
  public static final Layout SECONDARY_LAYOUT = SECONDARY_L.res0(15, 5).seal();

  public static final Field DID   = DA_L.bits("DID",   31, 24);
  public static final Field PID   = DA_L.bits("PID",   23, 16);
  public static final Field SNPID = DA_L.bits("SNPID", 15,  8);
  public static final Field CR    = DA_L.bit ("CR",         7);
  public static final Layout DA_LAYOUT = DA_L.res0(6, 0).seal();

  public static final Field CID   = IA_L.bits("CID",   23, 16);
  public static final Field WCE   = IA_L.bits("WCE",    7,  4);
  public static final Field ATM   = IA_L.bits("ATM",    3,  2, ATM_NAMES);
  public static final Field OTM   = IA_L.bits("OTM",    1,  0, OTM_NAMES);
  public static final Layout IA_LAYOUT = IA_L.res0(31, 24).res0(15, 8).seal();

  public static final Field TWBAL = WIN_L.address("TWBAL", 31, 12);
  public static final Field SWSE  = WIN_L.bits   ("SWSE",  11,  6);
  public static final Layout WIN_LAYOUT = WIN_L.res0(5, 0).seal();

  public static final Field HIGH  = HIGH_L.bits("address[63:32]", 31, 0);
  public static final Layout HIGH_LAYOUT = HIGH_L.seal();

  public static final Field INDEX = INDEX_L.bits("FSPI", 31, 0);
  public static final Layout INDEX_LAYOUT = INDEX_L.seal();
  // spotless:on

  private PaaceLayout() {}

  /// {@return the encoding of a window's size: n for 2^(n+1) bytes}
  public static int sizeCode(long bytes) {
    return Long.numberOfTrailingZeros(bytes) - 1;
  }

  /// {@return the bytes of an encoded size, printed}
  static String size(int code) {
    return "0x" + BigInteger.TWO.shiftLeft(code).toString(16);
  }

  /// {@return the encoding of a number of sub-windows: n for 2^(n+1)}
  public static int countCode(int count) {
    return Integer.numberOfTrailingZeros(count) - 1;
  }

  /// {@return the last offset within an encoded size, unsigned: the largest is 2^64 bytes}
  static long last(int code) {
    return -1L >>> Long.SIZE - 1 - code;
  }

  /// {@return n for sub-windows of 2^n bytes; below 12 where the window cannot be cut into so many pages}
  static int slotBits(long af, long ia) {
    return WSE.getInt(af) - WCE.getInt(ia);
  }

  /// {@return the number of sub-windows that is encoded}
  public static int count(int code) {
    return 2 << code;
  }

  /// {@return an address of which a word holds the upper half and a field of another the rest}
  public static long joined(long high, Field low, long word) {
    return high << Integer.SIZE | low.get(word);
  }

  /// {@return the upper half of an address}
  public static long high(long address) {
    return address >>> Integer.SIZE;
  }

  /// {@return what an address field of a word holds of an address}
  public static long low(Field field, long address) {
    return field.get(address);
  }

  /// {@return a word as it lies in memory, which is big-endian, or the other way round}
  public static long swapped(long word) {
    return Integer.toUnsignedLong(Integer.reverseBytes((int) word));
  }
}
