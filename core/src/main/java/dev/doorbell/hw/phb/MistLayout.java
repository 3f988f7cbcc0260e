package dev.doorbell.hw.phb;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import java.util.List;

/// A word of the MSI interrupt state table (MIST) of IODA3, in the bridge itself: who owns each of four interrupts. Bit 0 is the most significant.
public final class MistLayout {
  /// Interrupts of a word.
  public static final int PER_WORD = 4;

  private static final Layout L = Layout.msb0("MIST", 8);

  // spotless:off
  public static final Field P0  = L.bit ("P0",   0);
  public static final Field Q0  = L.bit ("Q0",   1);
  public static final Field PE0 = L.bits("PE0",  4, 15);
  public static final Field P1  = L.bit ("P1",  16);
  public static final Field Q1  = L.bit ("Q1",  17);
  public static final Field PE1 = L.bits("PE1", 20, 31);
  public static final Field P2  = L.bit ("P2",  32);
  public static final Field Q2  = L.bit ("Q2",  33);
  public static final Field PE2 = L.bits("PE2", 36, 47);
  public static final Field P3  = L.bit ("P3",  48);
  public static final Field Q3  = L.bit ("Q3",  49);
  public static final Field PE3 = L.bits("PE3", 52, 63);
  public static final Layout LAYOUT = L.res0(2, 3).res0(18, 19).res0(34, 35).res0(50, 51).seal();
  // spotless:on

  private static final List<Field> OWNERS = List.of(PE0, PE1, PE2, PE3);
  private static final List<Field> PENDING = List.of(P0, P1, P2, P3);
  private static final List<Field> QUEUED = List.of(Q0, Q1, Q2, Q3);

  private MistLayout() {}

  /// {@return the owner's field of an interrupt}
  public static Field owner(int number) {
    return OWNERS.get(number % PER_WORD);
  }

  public static Field pending(int number) {
    return PENDING.get(number % PER_WORD);
  }

  public static Field queued(int number) {
    return QUEUED.get(number % PER_WORD);
  }

  /// {@return the bits of an interrupt in a word}
  public static long mask(int number) {
    return owner(number).mask() | pending(number).mask() | queued(number).mask();
  }

  /// {@return what selects an interrupt's part of the word for writing, in PHB_IODA_ADDR}
  public static int part(int number) {
    return 1 << (PER_WORD - 1 - number % PER_WORD);
  }
}
