package dev.doorbell.hw.riscviommu;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;

/// Entries of an MSI page table: where the page of a guest's interrupt file is, or the memory that stands for it.
///
/// An interrupt file in memory (MRIF) is 32 pairs of doublewords: which of 64 identities are pending, and which are enabled.
///
/// **Source**: RISC-V IOMMU Architecture 1.0, 2.3.3; RISC-V AIA 1.0, 9.3 (memory-resident interrupt files), 9.5 (MSI page tables).
public final class MsiPteLayout {
  private MsiPteLayout() {}

  public static final int BYTES = 16;
  public static final int SECOND_AT = 8;

  /// `MRIF Address` counts units of 512 bytes.
  public static final int MRIF_SHIFT = 9;

  /// `M`.
  public static final int MRIF = 1;

  public static final int BASIC = 3;

  private static final Layout FIRST_L = Layout.lsb0("MSI PTE, basic", 8);
  private static final Layout MRIF_L = Layout.lsb0("MSI PTE, MRIF", 8);
  private static final Layout NOTICE_L = Layout.lsb0("MSI PTE, notice", 8);

  // spotless:off
  public static final Field V          = FIRST_L.bit ("V",             0);
  public static final Field M          = FIRST_L.bits("M",             2,  1);
  public static final Field PPN        = FIRST_L.bits("PPN",          53, 10);
  public static final Field C          = FIRST_L.bit ("C",            63);
  public static final Layout FIRST     = FIRST_L.res0(9, 3).res0(62, 54).seal();

  public static final Field MRIF_V     = MRIF_L.bit  ("V",             0);
  public static final Field MRIF_M     = MRIF_L.bits ("M",             2,  1);
  public static final Field MRIF_ADDR  = MRIF_L.bits ("MRIF Address[55:9]", 53, 7);
  public static final Field MRIF_C     = MRIF_L.bit  ("C",            63);
  public static final Layout FIRST_MRIF = MRIF_L.res0(6, 3).res0(62, 54).seal();

  public static final Field NID        = NOTICE_L.bits("N[9:0]",       9,  0);
  public static final Field NPPN       = NOTICE_L.bits("NPPN",        53, 10);
  public static final Field N10        = NOTICE_L.bit ("N[10]",       60);
  public static final Layout NOTICE    = NOTICE_L.res0(59, 54).res0(63, 61).seal();
  // spotless:on

  /// Bytes of a pair of doublewords in an MRIF, and of an MRIF.
  public static final int MRIF_PAIR_BYTES = 16;

  public static final int MRIF_BYTES = 512;

  private static final int NID_BITS = 10;

  /// Bits of an identity in an MRIF, which has 0 to 2047.
  public static final int IDENTITY_BITS = 11;

  /// {@return the address of an MRIF}
  public static long file(long first) {
    return MRIF_ADDR.get(first) << MRIF_SHIFT;
  }

  /// {@return the datum of a notice MSI}
  public static int notice(long second) {
    return (int) (N10.get(second) << NID_BITS | NID.get(second));
  }

  /// {@return the second doubleword's identity of a notice MSI}
  ///
  /// @param identity 0 to 2047
  static long noticed(int identity) {
    return N10.place(identity >>> NID_BITS) | NID.place(identity & NID.max());
  }

  /// {@return the bits of a value under a mask, packed from the lowest}
  static long extract(long value, long mask) {
    return Long.compress(value, mask);
  }

  /// {@return what {@link #extract} makes a number of}
  static long deposit(long number, long mask) {
    return Long.expand(number, mask);
  }
}
