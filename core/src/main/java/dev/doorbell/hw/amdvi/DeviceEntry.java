package dev.doorbell.hw.amdvi;

import static dev.doorbell.hw.amdvi.DteLayout.*;

import dev.doorbell.bits.BitKind;

/// A device table entry as a model caches it. Immutable but for one mark.
///
/// Fields of features that the model lacks count as reserved, as those that no revision defines.
final class DeviceEntry {
  private static final int FOUR_LEVELS = 4;

  /// The bits of each quadword that must be 0: of features that a model lacks, and those that no revision defines.
  record Reserved(long w0, long w1, long w2) {
    static Reserved of(AmdViFeatures features) {
      boolean guests = features.has(AmdViRegisters.GT_SUP);
      boolean requests = features.has(AmdViRegisters.PPR_SUP);
      return new Reserved(
          WORD_0.mask(BitKind.RES0)
              | HAD.mask()
              | GPRP.mask()
              | (requests ? 0 : PPR.mask())
              | (guests ? 0 : GIOV.mask() | GV.mask() | GLX.mask() | GCR3_A.mask()),
          SATS.mask() | (guests ? 0 : GCR3_B.mask() | GCR3_C.mask()),
          WORD_2.mask(BitKind.RES0) | HPT_MODE.mask() | (guests ? 0 : GUEST_PAGING_MODE.mask()));
    }
  }

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

  /// Whether the device may ask for pages.
  final boolean asksForPages;

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

  DeviceEntry(long w0, long w1, long w2, Reserved zero) {
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
    asksForPages = PPR.isSet(w0);
    excluded = EX.isSet(w1);
    silent = SA.isSet(w1);
    once = SE.isSet(w1);
    reserved = (w0 & zero.w0) != 0 || (w1 & zero.w1) != 0;
    maps = IV.isSet(w2);
    interruptControl = INT_CTL.getInt(w2);
    interruptLength = INT_TAB_LEN.getInt(w2);
    interruptTable = INT_TAB_ROOT.get(w2);
    ignoresUnmapped = IG.isSet(w2);
    passesInit = INIT_PASS.isSet(w2);
    passesExtInt = EINT_PASS.isSet(w2);
    passesNmi = NMI_PASS.isSet(w2);
    interruptReserved = (w2 & zero.w2) != 0;
  }
}
