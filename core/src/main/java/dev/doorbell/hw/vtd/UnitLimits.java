package dev.doorbell.hw.vtd;

import static dev.doorbell.hw.vtd.VtdRegisters.*;

import dev.doorbell.bits.BitKind;
import dev.doorbell.irq.X86MessageLayout;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What a unit can do, as far as its capability registers were recorded. What was not recorded is taken to be there.
///
/// **Source**: Intel Virtualization Technology for Directed I/O, revision 4.1, 11.4.2 Capability Register, 11.4.3 Extended Capability Register.
record UnitLimits(@Nullable Long cap, @Nullable Long ecap) {
  private static final int FEWEST_LEVELS = 3;
  private static final int MOST_LEVELS = 5;
  private static final int MOST_INPUT_BITS = 57;

  static UnitLimits of(Map<String, Long> registers) {
    return new UnitLimits(registers.get("CAP"), registers.get("ECAP"));
  }

  /// {@return bits of an address that the unit takes}
  int inputBits() {
    return cap == null ? MOST_INPUT_BITS : MGAW.getInt(cap) + 1;
  }

  /// {@return bits of an address that passes untranslated}
  int passedBits() {
    return Math.min(inputBits(), PagingLayout.MEMORY_BITS);
  }

  /// {@return whether there are tables of the second stage with so many levels}
  boolean walksSecond(int levels) {
    return levels >= FEWEST_LEVELS
        && levels <= MOST_LEVELS
        && (cap == null || (SAGAW.get(cap) >>> levels - SAGAW_FEWEST_LEVELS & 1) != 0);
  }

  /// {@return whether there are tables of the first stage with so many levels}
  boolean walksFirst(int levels) {
    int fewest = PasidLayout.FEWEST_FIRST_STAGE_LEVELS;
    return levels == fewest || levels == fewest + 1 && (cap == null || FS5LP.isSet(cap));
  }

  boolean hasSecondPage(int level) {
    return level == 1
        || level <= PagingLayout.LARGEST_PAGE_LEVEL
            && (cap == null || (SSLPS.get(cap) >>> level - 2 & 1) != 0);
  }

  boolean hasFirstPage(int level) {
    return level < PagingLayout.LARGEST_PAGE_LEVEL
        || level == PagingLayout.LARGEST_PAGE_LEVEL && (cap == null || FS1GP.isSet(cap));
  }

  boolean passes() {
    return ecap == null || PT.isSet(ecap);
  }

  boolean hasDeviceTlb() {
    return ecap == null || DT.isSet(ecap);
  }

  /// {@return bits that must be 0 in every entry of the second stage}
  long reservedSecond() {
    long always = PagingLayout.SECOND_STAGE.mask(BitKind.RES0);
    return ecap == null || SC.isSet(ecap) ? always : always | PagingLayout.SNP.mask();
  }

  /// {@return whether a context entry says by which PASID requests without one go; else it is 0}
  boolean hasRidPasid() {
    return ecap == null || RPS.isSet(ecap);
  }

  boolean isScalable() {
    return ecap == null || SMTS.isSet(ecap);
  }

  boolean posts() {
    return cap == null || PI.isSet(cap);
  }

  /// {@return whether an address can be one of memory}
  static boolean isMemory(long address) {
    return address >>> PagingLayout.MEMORY_BITS == 0 && !isMessage(address);
  }

  /// {@return whether an address lies in the interrupt address range}
  static boolean isMessage(long address) {
    return address >>> X86MessageLayout.FEE.lsb() == X86MessageLayout.WINDOW;
  }
}
