package dev.doorbell.hw.phb;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;

/// Address and datum of a message to an IBM host bridge: together they hold the number of an interrupt of that bridge, its lowest five bits in the
/// datum, so that the functions of a multi-message MSI can replace them.
///
/// Bits as skiboot writes them; bit 0 is the least significant.
public final class PhbMessageLayout {
  private static final Layout HIGH_L = Layout.lsb0("64-bit MSI address", 8);
  private static final Layout LOW_L = Layout.lsb0("32-bit MSI address", 8);
  private static final Layout DATA_L = Layout.lsb0("MSI data", 4);

  // spotless:off
  /// Set in every 64-bit message and in no address of DMA.
  public static final Field MSI          = HIGH_L.bit ("MSI",        60);
  public static final Field NUMBER_HIGH  = HIGH_L.bits("number[15:5]", 19, 9);
  public static final Layout HIGH_LAYOUT = HIGH_L.res0(63, 61).ignored(59, 20).res0(8, 0).seal();

  public static final Field LOW_REGION   = LOW_L.bits ("region",     63, 16);
  public static final Field NUMBER_LOW   = LOW_L.bits ("number[11:5]", 15, 9);
  public static final Layout LOW_LAYOUT  = LOW_L.res0(8, 0).seal();

  public static final Field NUMBER_DATA  = DATA_L.bits("number[4:0]",  4, 0);
  public static final Layout DATA_LAYOUT = DATA_L.ignored(31, 5).seal();
  // spotless:on

  /// What {@link #LOW_REGION} is in a 32-bit message: the last 64 KiB below 4 GiB.
  public static final long REGION = 0xffffL;

  /// Numbers that a 64-bit message can hold.
  public static final int MOST_HIGH = 1 << 16;

  /// Numbers that a 32-bit message can hold.
  public static final int MOST_LOW = 1 << 12;

  private PhbMessageLayout() {}

  /// {@return the 64-bit address of an interrupt's message}
  ///
  /// @param number below {@link #MOST_HIGH}
  public static long address64(int number) {
    return MSI.place(1) | NUMBER_HIGH.place(number >>> NUMBER_DATA.width());
  }

  /// {@return the 32-bit address of an interrupt's message}
  ///
  /// @param number below {@link #MOST_LOW}
  public static long address32(int number) {
    return LOW_REGION.place(REGION) | NUMBER_LOW.place(number >>> NUMBER_DATA.width());
  }

  /// {@return the datum of an interrupt's message}
  public static int data(int number) {
    return number % (1 << NUMBER_DATA.width());
  }

  /// {@return whether a write to an address is a message}
  public static boolean isMessage(long address) {
    return MSI.isSet(address) && !isReserved(address) || LOW_REGION.get(address) == REGION;
  }

  private static boolean isReserved(long address) {
    return address >>> (MSI.lsb() + 1) != 0;
  }

  /// {@return the number that a message holds}
  public static int number(long address, int data) {
    long high = MSI.isSet(address) ? NUMBER_HIGH.get(address) : NUMBER_LOW.get(address);
    return (int) (high << NUMBER_DATA.width()) + NUMBER_DATA.getInt(data);
  }
}
