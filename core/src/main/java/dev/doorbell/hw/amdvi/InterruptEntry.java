package dev.doorbell.hw.amdvi;

import static dev.doorbell.hw.amdvi.IrteLayout.*;

import dev.doorbell.bits.BitKind;
import dev.doorbell.irq.X86CommandLayout;
import org.jspecify.annotations.Nullable;

/// An interrupt remapping table entry as a model caches it.
///
/// @param remaps RemapEn
/// @param quiet SupIOPF: no event tells of a message that ends here
/// @param legal whether no reserved bit, and no reserved IntType, is set; guest mode counts as reserved where Control has it off
/// @param destination of the interrupt
/// @param command vector, delivery mode and destination mode
/// @param wide whether the destination has 32 bits
/// @param guest of an entry in guest mode what it says; the last three say nothing then
record InterruptEntry(
    boolean remaps,
    boolean quiet,
    boolean legal,
    long destination,
    int command,
    boolean wide,
    GuestPosting.@Nullable Guest guest) {
  /// IntType: the highest that is no reserved one.
  private static final int ARBITRATED = 1;

  /// Destinations that are no x2APIC ids have so many bits.
  private static final long XAPIC = 0xff;

  static InterruptEntry narrow(long word) {
    int type = INT_TYPE.getInt(word);
    return new InterruptEntry(
        REMAP_EN.isSet(word),
        SUP_IOPF.isSet(word),
        (word & NARROW.mask(BitKind.RES0)) == 0 && type <= ARBITRATED,
        DESTINATION.get(word),
        X86CommandLayout.command(VECTOR.getInt(word), type, DM.isSet(word)),
        false,
        null);
  }

  private static InterruptEntry guest(long low, long high) {
    return new InterruptEntry(
        GUEST_REMAP_EN.isSet(low),
        GUEST_SUP_IOPF.isSet(low),
        (low & GUEST_LOW.mask(BitKind.RES0)) == 0 && (high & GUEST_HIGH.mask(BitKind.RES0)) == 0,
        0,
        0,
        true,
        GuestPosting.Guest.of(high));
  }

  static InterruptEntry wide(long low, long high, Settings s) {
    if (s.guestMode() && GUEST_MODE.isSet(low)) {
      return guest(low, high);
    }
    boolean extended = s.extended();
    int type = WIDE_INT_TYPE.getInt(low);
    long destination = WIDE_DESTINATION.get(low, high);
    return new InterruptEntry(
        WIDE_REMAP_EN.isSet(low),
        WIDE_SUP_IOPF.isSet(low),
        (low & LOW.mask(BitKind.RES0)) == 0
            && (high & HIGH.mask(BitKind.RES0)) == 0
            && !GUEST_MODE.isSet(low)
            && type <= ARBITRATED,
        extended ? destination : destination & XAPIC,
        X86CommandLayout.command(WIDE_VECTOR.getInt(high), type, WIDE_DM.isSet(low)),
        extended,
        null);
  }
}
