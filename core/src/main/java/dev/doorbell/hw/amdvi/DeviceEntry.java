package dev.doorbell.hw.amdvi;

import static dev.doorbell.hw.amdvi.DteLayout.*;

import dev.doorbell.bits.BitKind;

/// A device table entry as a model caches it. Immutable but for one mark.
///
/// Fields of features that the model lacks count as reserved, as those that no revision defines.
final class DeviceEntry {
  private static final long RESERVED_0 =
      WORD_0.mask(BitKind.RES0) | HAD.mask() | PPR.mask() | GPRP.mask();
  private static final long GUEST_0 = GIOV.mask() | GV.mask() | GLX.mask() | GCR3_A.mask();
  private static final long RESERVED_1 = SATS.mask();
  private static final long GUEST_1 = GCR3_B.mask() | GCR3_C.mask();
  private static final long RESERVED_2 = WORD_2.mask(BitKind.RES0) | HPT_MODE.mask();
  private static final int FOUR_LEVELS = 4;

  final boolean valid;
  final boolean translates;
  final int levels;
  final long root;

  /// Allowed accesses, as {@link dev.doorbell.bus.Translator} numbers them.
  final int access;

  final int domain;

  /// Whether there are guest tables.
  final boolean guest;

  /// Whether they are of accesses without a PASID, too, as PASID 0.
  final boolean guestAlone;

  /// GLX: levels of guest CR3 tables but one.
  final int pasidLevels;

  final int guestLevels;
  final long gcr3;
  final boolean excluded;
  final boolean silent;
  final boolean once;

  /// Whether reserved bits are set in the half that DMA uses.
  final boolean reserved;

  final boolean maps;
  final int interruptControl;
  final int interruptLength;
  final long interruptTable;
  final boolean ignoresUnmapped;
  final boolean passesInit;
  final boolean passesExtInt;
  final boolean passesNmi;

  /// Whether reserved bits are set in the half that interrupts use.
  final boolean interruptReserved;

  /// With SE=1: an I/O page fault of this device has been logged since the entry was fetched.
  volatile boolean logged;

  /// @param guests whether the model has guest tables
  DeviceEntry(long w0, long w1, long w2, boolean guests) {
    valid = V.isSet(w0);
    translates = TV.isSet(w0);
    levels = MODE.getInt(w0);
    root = ROOT.get(w0);
    access = AccessBits.of(IR.isSet(w0), IW.isSet(w0));
    domain = DOMAIN_ID.getInt(w1);
    guest = GV.isSet(w0);
    guestAlone = GIOV.isSet(w0);
    pasidLevels = GLX.getInt(w0);
    guestLevels = FOUR_LEVELS + GUEST_PAGING_MODE.getInt(w2);
    gcr3 = GCR3.get(w0, w1);
    excluded = EX.isSet(w1);
    silent = SA.isSet(w1);
    once = SE.isSet(w1);
    reserved =
        (w0 & (guests ? RESERVED_0 : RESERVED_0 | GUEST_0)) != 0
            || (w1 & (guests ? RESERVED_1 : RESERVED_1 | GUEST_1)) != 0;
    maps = IV.isSet(w2);
    interruptControl = INT_CTL.getInt(w2);
    interruptLength = INT_TAB_LEN.getInt(w2);
    interruptTable = INT_TAB_ROOT.get(w2);
    ignoresUnmapped = IG.isSet(w2);
    passesInit = INIT_PASS.isSet(w2);
    passesExtInt = EINT_PASS.isSet(w2);
    passesNmi = NMI_PASS.isSet(w2);
    interruptReserved = (w2 & (guests ? RESERVED_2 : RESERVED_2 | GUEST_PAGING_MODE.mask())) != 0;
  }
}
